import Foundation
import TestSupport
import Testing

/// `epicure boot --machine FILE`: boards, partitions, and what happens when a board breaks. Linux says what it finds.
@Suite("Partitions", .serialized, .ends(withinMinutes: 10)) struct PartitionTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func run(_ yaml: String, _ more: [String] = [], files: [(String, [UInt8])] = []) throws -> Epicure.Result {
    for (name, bytes) in files { _ = try folder.write(name, bytes) }
    let file = try folder.write("machine.yaml", Array(yaml.utf8))
    return try Epicure.run(["boot", "--machine", file] + more, seconds: 600)
  }

  private static let boards = """
    boards:
      - { name: SB0, memory: 1G, sockets: 2 }
      - { name: SB1, memory: 1G, sockets: 1 }
      - { name: SB2, memory: 2G, spare: true }

    """

  // MARK: What cannot be is one line and status 2

  @Test(arguments: [
    ("boards: []\npartitions: []\n", "there are no partitions"),
    ("boards: [{ name: A, memory: 1G }]\npartitions: [{ name: p, boards: [B] }]\n", "partition p: there is no board B"),
    ("boards: [{ name: A, memory: 1G }]\npartitions: [{ name: p, boards: [A/2] }]\n", "neither a board"),
    ("boards: [{ name: A, memory: plenty }]\npartitions: [{ name: p, boards: [A] }]\n", "is not a size"),
    ("boards: [{ name: A, memory: 1G, colour: red }]\npartitions: [{ name: p, boards: [A] }]\n", "there is no key colour"),
    ("boards: [{ name: A, memory: 1G }]\npartitions: [{ name: p, boards: [A] }, { name: q, boards: [A/0] }]\n", "both use"),
    (
      "boards: [{ name: A, memory: 1G }]\npartitions: [{ name: p, boards: [A], nics: [tokenring] }]\n", "partition p: nic tokenring"
    ),
    ("boards: [{ name: A, memory: 1G }]\npartitions: [{ name: p, boards: [A], disks: [\"x,bus=mfm\"] }]\n", "partition p: disk"),
    ("boards: [{\n", "machine.yaml: "),
  ])
  func mistakes(_ yaml: String, _ message: String) throws {
    let result = try run(yaml)
    #expect(result.status == 2, "\(result.errors)")
    #expect(result.errors.contains(message), "\(result.errors)")
    #expect(result.errors.split(separator: "\n").count == 1 && result.output.isEmpty, "\(result.errors)")
  }

  @Test func optionsThatAreInTheFile() throws {
    for option in [["--cpus", "2"], ["--memory", "2G"], ["--disk", "disk.img"], ["--nic", "user"], ["--no-reboot"]] {
      let result = try run(Self.boards + "partitions: [{ name: p, boards: [SB0] }]\n", option)
      #expect(result.status == 2 && result.errors.contains("\(option[0]) does not go with --machine"), "\(result.errors)")
    }
  }

  // MARK: Running

  /// The built-in guest on two partitions; both come to their end.
  @Test func builtInGuests() throws {
    let result = try run(Self.boards + "partitions: [{ name: one, boards: [SB0] }, { name: two, boards: [SB1] }]\n")
    #expect(result.status == 0, "\(result.errors)")
    for name in ["one", "two"] { #expect(result.text.contains("[\(name)] EPICURE SELFTEST PASSED"), "\(result.text.suffix(500))") }
  }

  /// Different systems side by side: two Linuxes with other processors, memory and nodes than each other. Twice: to the last cycle.
  @Test(.enabled(if: Guests.shouldRun, Guests.advice)) func differentSystems() throws {
    let kernel = try Guests.file("linux-6.1/vmlinux.gz").path
    let initrd = try Guests.file("linux-6.1/initramfs.cpio.gz").path
    let stats = folder.url.appendingPathComponent("stats.json")
    let yaml =
      Self.boards + """
        partitions:
          - name: large
            boards: [SB0/0, SB0/1]
            kernel: \(kernel)
            initrd: \(initrd)
            append: console=ttyS0 run=cat_/sys/devices/system/node/node*/distance_/sys/devices/system/node/node*/cpulist
            console: large.log
          - name: small
            boards: [SB1]
            kernel: \(kernel)
            initrd: \(initrd)
            append: console=ttyS0
            until: EPICURE GUEST READY
        """
    // A board of two sockets has no processors in its upper half.
    let whole = yaml.replacingOccurrences(of: "sockets: 2", with: "sockets: 4")
    var cycles: [[UInt64]] = []
    for _ in 0..<2 {
      let result = try run(whole, ["--stats", stats.path])
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.text.contains("smp: Brought up 1 node, 2 CPUs"), "\(result.text.suffix(500))")
      let log = try String(contentsOf: folder.url.appendingPathComponent("large.log"), encoding: .utf8)
      #expect(log.contains("smp: Brought up 2 nodes, 8 CPUs"), "\(log.suffix(500))")
      let json = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: stats)) as? [String: Any])
      let list = try #require(json["partitions"] as? [[String: Any]])
      cycles.append(
        try list.map { one in
          let statistics = try #require(one["statistics"] as? [String: Any])
          return try #require(statistics["instructions"] as? UInt64)
        })
    }
    #expect(cycles[0] == cycles[1])
  }

  /// A board breaks while Linux boots on it: the partition starts again on the spare, with what that has; the other does not notice.
  @Test(.enabled(if: Guests.shouldRun, Guests.advice)) func restartsOnTheSpare() throws {
    let kernel = try Guests.file("linux-6.1/vmlinux.gz").path
    let initrd = try Guests.file("linux-6.1/initramfs.cpio.gz").path
    let system = "kernel: \(kernel), initrd: \(initrd), append: console=ttyS0, until: EPICURE GUEST READY"
    let result = try run(
      Self.boards + """
        partitions:
          - { name: a, boards: [SB0], \(system) }
          - { name: b, boards: [SB1], \(system) }
        failures:
          - { board: SB0, seconds: 0.2 }
        """)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors == "epicure: board SB0 fails at 0.200 s: a restarts on the spare SB2\n")
    let lines = result.text.split(whereSeparator: \.isNewline)
    #expect(lines.filter { $0.hasPrefix("[a]") && $0.contains("Linux version 6.1") }.count == 2)
    #expect(lines.filter { $0.hasPrefix("[b]") && $0.contains("Linux version 6.1") }.count == 1)
    #expect(lines.contains { $0.hasPrefix("[a]") && $0.contains("Brought up 1 node, 8 CPUs") })
    #expect(lines.contains { $0.hasPrefix("[a]") && $0.contains("EPICURE GUEST READY") })
  }

  /// Without a spare the partition is lost, and the run says so.
  @Test func lostWithoutSpare() throws {
    let result = try run(
      """
      boards: [{ name: A, memory: 1G, sockets: 1 }]
      partitions: [{ name: p, boards: [A] }]
      failures: [{ board: A, seconds: 0.00001 }]
      """)
    #expect(result.status == 1)
    #expect(result.errors.contains("partition p: board A failed, and there is no spare"), "\(result.errors)")
  }
}
