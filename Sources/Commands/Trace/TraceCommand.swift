import ArgumentParser

/// `epicure trace`: what the files of `--trace` say.
struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Read traces: summaries, lists, exports for other tools.",
    discussion: """
      epicure boot --virtualization hvm --kernel vmlinux.gz --initrd initramfs.cpio.gz --trace boot.trace
      epicure trace summary boot.trace                             what the guest was left for, what it cost, where, by which device
      epicure trace list boot.trace --filter 'exit cause=rfi' --last 20
      epicure trace export boot.trace --format perfetto -o boot.pftrace      then open it in https://ui.perfetto.dev

      Conditions of --filter (and of --break) are in Documentation/Tracing.md.
      """,
    subcommands: [TraceSummaryCommand.self, TraceListCommand.self, TraceExportCommand.self])
}
