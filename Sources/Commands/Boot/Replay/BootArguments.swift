/// Options of `epicure boot` as words: what makes the run, and what only looks at it.
enum BootArguments {
  /// Options that are about recordings themselves. The value says whether a word follows.
  private static let recording: [String: Bool] = [
    "--record": true, "--replay": true, "--crash-bundle": true, "--crash-bundle-files": true,
  ]
  /// Options that change nothing in the machine: a replay may have others, or none.
  private static let observing: [String: Bool] = [
    "--stats": true, "--gdb": true, "--gdb-nowait": false, "--screenshot": true,
    "--vnc": true, "--vnc-password": true, "--cycle-report": false, "--symbols": true, "--pipeline-trace": true,
    "--pipeline-trace-from": true, "--pipeline-trace-cycles": true, "--pipeline-trace-processor": true, "--trace": true,
    "--flight-recorder": true, "--flight-events": true, "--engine-profile": true, "--without": true,
  ]
  /// Options of a replay that say where files are now.
  static let files: [String: Bool] = ["--kernel": true, "--initrd": true, "--disk": true]
  /// Options that end a run: a replay may end earlier.
  static let ending: [String: Bool] = ["--until": true, "--fail-on": true, "--limit-seconds": true, "--break": true]

  /// Options that make another machine: a replay with them shows what would have been, as far as that can be said.
  static let different: [String: Bool] = ["--vac": true]

  /// What a recording keeps of the words.
  static func recorded(_ words: [String]) -> [String] { removing(recording, from: removing(observing, from: words)) }

  /// The words without some options.
  private static func removing(_ options: [String: Bool], from words: [String]) -> [String] {
    var kept: [String] = []
    var rest = words[...]
    while let word = rest.popFirst() {
      let name = name(of: word)
      guard let takesValue = options[name] else {
        kept.append(word)
        continue
      }
      if takesValue && name == word { _ = rest.popFirst() }
    }
    return kept
  }

  static func has(_ options: [String: Bool], in words: [String]) -> Bool { words.contains { options[name(of: $0)] != nil } }

  private static func name(of word: String) -> String { word.split(separator: "=", maxSplits: 1).first.map(String.init) ?? word }

  /// What a replay is told: the recording's options and the user's own. An option that is there twice counts as it comes last; of disks all
  /// are named anew, or none.
  static func replaying(_ recorded: [String], own: [String]) throws(CommandFailure) -> [String] {
    let mine = removing(["--replay": true], from: own)
    let allowed = [files, ending, different].reduce(observing) { $0.merging($1) { first, _ in first } }
    if let foreign = removing(allowed, from: mine).first {
      throw CommandFailure(
        CommandFailure.badInput,
        "\(name(of: foreign)) does not go with a replay: the machine is the recording's. What goes with it are "
          + allowed.keys.sorted().joined(separator: ", "))
    }
    return (has(["--disk": true], in: mine) ? removing(["--disk": true], from: recorded) : recorded) + mine
  }
}
