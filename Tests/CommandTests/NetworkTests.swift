import Foundation
import TestSupport
import Testing

/// Unmodified Linux on a network: its own e1000 and virtio drivers, its own TCP; checksums are compared with what the host's tools say.
@Suite("Linux on a network", .enabled(if: Guests.shouldRun, Guests.advice), .serialized, .ends(withinMinutes: 10))
struct NetworkTests {
  /// 10 MB each way; 100 with EPICURE_COMPLETE=1.
  static let size = Guests.isComplete ? 100_000_000 : 10_000_000
  static let seconds: Double = Guests.isComplete ? 1500 : 400

  private func arguments(_ script: String, in folder: TemporaryFolder, name: String = "guest", append: String = "") throws
    -> [String]
  {
    var archive = GuestArchive()
    archive.add(script: script, as: "script")
    let first = try Data(contentsOf: Guests.file("linux-6.1/initramfs.cpio.gz"))
    let initrd = try folder.write(name + ".cpio", archive.behind(first))
    return [
      "boot", "--virtualization", "hvm", "--kernel", try Guests.file("linux-6.1/vmlinux.gz").path, "--initrd", initrd, "--append",
      "console=ttyS0 run=sh_/script \(append)",
    ]
  }

  private func lines(_ text: String) -> [Substring] { text.split(whereSeparator: \.isNewline) }
  private func value(_ name: String, in text: String) -> String? {
    lines(text).first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
  }
  private func digest(_ url: URL) throws -> String {
    String(try HostTool.run("md5sum", [url.path]).text.split(separator: " ").first ?? "")
  }

  /// What the driver says when it is not content.
  private static let troubles = ["tx unit hang", "timed out", "nobody cared", "reset adapter", "call trace", "bug:", "error"]
  private func complaints(_ text: String) -> [Substring] {
    lines(text).filter { line in !line.hasPrefix("errors=") && Self.troubles.contains { line.lowercased().contains($0) } }
  }

  // MARK: User mode

  /// DHCP by the kernel, `wget` of a file from a server on the host, and back; what tshark finds in the capture.
  @Test(
    .enabled(if: HostTool.shouldRun("tshark"), "skipped: no tshark; `make test-packages` installs it"),
    arguments: ["e1000", "virtio"])
  func userNetwork(model: String) throws {
    let isVirtio = model == "virtio"
    let folder = try TemporaryFolder()
    // Without zeros: BusyBox posts a file as a string.
    let data = (0..<Self.size).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) | 1 }
    let original = folder.url.appendingPathComponent("original")
    try Data(data).write(to: original)
    let server = try WebServer(sending: data, receivingTo: folder.url.appendingPathComponent("posted"))
    let capture = folder.url.appendingPathComponent("capture.pcapng").path
    let statistics = folder.url.appendingPathComponent("stats.json")
    let script = """
      wget -q -O /tmp/f http://10.0.2.2:\(server.port)/f && echo "digest=$(md5sum </tmp/f)"
      wget -q -O - --post-file=/tmp/f http://10.0.2.2:\(server.port)/p
      cd /sys/class/net/eth0
      echo "link=$(cat carrier) $(cat speed) $(cat duplex) $(cat mtu) $(cat address)"
      echo "errors=$(cat statistics/*errors statistics/*dropped | sort -u)"
      [ -e device/subsystem_vendor ] && cd device || cd $(readlink -f device/..)
      echo "pci=$(cat vendor) $(cat device) $(cat subsystem_vendor) $(cat subsystem_device)"
      """
    let result = try Epicure.run(
      arguments(script, in: folder, append: "ip=dhcp") + [
        "--nic", "user,model=\(model),capture=\(capture)", "--stats", statistics.path,
      ],
      seconds: Self.seconds)
    #expect(result.status == 0, "\(result.errors)")
    let text = result.text
    #expect(isVirtio || text.contains("eth0 NIC Link is Up 1000 Mbps Full Duplex, Flow Control: RX/TX"))
    #expect(text.contains("IP-Config: Got DHCP answer from 10.0.2.2, my address is 10.0.2.15"))
    #expect(complaints(text) == [])
    let expected = try digest(original)
    #expect(value("digest", in: text)?.hasPrefix(expected) == true, "\(text.suffix(2000))")
    #expect(value("posted", in: text) == "\(Self.size)")
    #expect(try digest(folder.url.appendingPathComponent("posted")) == expected)
    #expect(value("link", in: text) == "1 1000 full 1500 00:16:3e:00:00:01")
    #expect(value("errors", in: text) == "0")
    #expect(value("pci", in: text) == (isVirtio ? "0x1af4 0x1000 0x1af4 0x0001" : "0x8086 0x100e 0x8086 0x001e"))

    let conversations = try HostTool.run("tshark", ["-r", capture, "-q", "-z", "conv,tcp"])
    #expect(conversations.text.contains("10.0.2.2:\(server.port)"), "\(conversations.text)")
    let trouble = try HostTool.run(
      "tshark",
      [
        "-r", capture, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-Y",
        "tcp.checksum.status == 0 || ip.checksum.status == 0 || _ws.malformed || tcp.analysis.retransmission",
      ])
    #expect(
      trouble.status == 0 && lines(trouble.text).filter { !$0.hasPrefix("Running as user") } == [], "\(trouble.text.prefix(500))")
    let stats = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: statistics)) as? [String: Any])
    let adapter = try #require((stats["devices"] as? [String: Any])?["nic0"] as? [String: Int])
    #expect(adapter["received_bytes", default: 0] > Self.size && adapter["sent_bytes", default: 0] > Self.size)
    #expect(adapter["receive_drops"] == 0 && adapter["send_drops"] == 0)
  }

  /// A connection from the host to a server in the guest.
  @Test func forwardedPort() throws {
    let folder = try TemporaryFolder()
    let port = try WebServer.freePort()
    let script = """
      ifconfig eth0 10.0.2.15 up
      echo "the guest greets" | nc -l -p 7
      echo "connection=over"
      """
    let guest = try BackgroundGuest(arguments(script, in: folder) + ["--nic", "user,hostfwd=tcp:127.0.0.1:\(port)-:7"], in: folder)
    var answer = ""
    for _ in 0..<300 where answer.isEmpty && guest.isRunning {
      answer = WebServer.ask(port)
      if answer.isEmpty { usleep(200_000) }
    }
    #expect(answer == "the guest greets\n")
    let result = guest.finish(seconds: 60)
    #expect(result.status == 0)
    #expect(value("connection", in: result.text) == "over")
  }

  // MARK: Bridges

  /// Each guest makes a file, serves it, and fetches that of the other; nuttcp goes both ways. Who asks is told when it may leave.
  private static func begin(_ name: String, _ address: String) -> String {
    """
    ifconfig eth0 192.168.9.\(address) up
    (echo \(name); head -c \(size) /dev/urandom) >/tmp/f
    echo "own=$(md5sum </tmp/f)"
    httpd -h /tmp

    """
  }
  private static func fetch(from address: String) -> String {
    """
    until wget -q -O /tmp/g http://192.168.9.\(address)/f 2>/dev/null; do sleep 1; done
    echo "fetched=$(md5sum </tmp/g)"

    """
  }
  private static let end = """
    echo "errors=$(cat /sys/class/net/eth0/statistics/*errors | sort -u)"
    dmesg | grep -i hang
    """
  private static let serving =
    begin("server", "1") + """
      nuttcp -S
      until ping -c 1 -W 1 192.168.9.2 >/dev/null; do :; done

      """ + fetch(from: "2") + """
      touch /tmp/done
      while ping -c 1 -W 1 192.168.9.2 >/dev/null; do sleep 1; done

      """ + end
  private static let asking =
    begin("client", "2") + fetch(from: "1") + """
      echo "sent=$(nuttcp -n \(size / 1_000_000)m 192.168.9.1)"
      echo "received=$(nuttcp -r -n \(size / 1_000_000)m 192.168.9.1)"
      until wget -q -O /dev/null http://192.168.9.1/done 2>/dev/null; do sleep 1; done

      """ + end

  private func check(_ server: String, _ client: String) {
    for (one, other) in [(server, client), (client, server)] {
      #expect(value("own", in: one)?.split(separator: " ").first?.count == 32, "\(one.suffix(1000))")
      #expect(value("own", in: one) == value("fetched", in: other), "\(other.suffix(1000))")
    }
    #expect(value("own", in: server) != value("own", in: client))
    for name in ["sent", "received"] {
      // "   10.0000 MB /   0.09 sec =  913.1246 Mbps ..."
      let words = (value(name, in: client) ?? "").split(separator: " ")
      #expect(words.first == "\(Self.size / 1_000_000).0000" && words.contains("Mbps"), "\(words)")
    }
    for text in [server, client] {
      #expect(value("errors", in: text) == "0")
      #expect(complaints(text) == [])
    }
  }

  /// Two processes of one user, which find each other by the bridge's name.
  @Test(arguments: Guests.isComplete ? ["e1000", "virtio"] : ["e1000"]) func bridgeBetweenProcesses(model: String) throws {
    let folder = try TemporaryFolder()
    let server = try BackgroundGuest(
      arguments(Self.serving, in: folder, name: "server") + ["--nic", "bridge=lan,model=\(model)"], in: folder, name: "server")
    let client = try BackgroundGuest(
      arguments(Self.asking, in: folder, name: "client") + ["--nic", "bridge=lan,model=\(model)"], in: folder, name: "client")
    let asked = client.finish(seconds: Self.seconds)
    let served = server.finish(seconds: 120)
    #expect(asked.status == 0 && served.status == 0, "\(asked.errors) \(served.errors)")
    check(served.text, asked.text)
  }

  /// Two partitions in one process: the bridge is part of virtual time, and two runs are the same to the last cycle.
  @Test(arguments: Guests.isComplete ? ["e1000", "virtio"] : ["virtio"]) func bridgeInsideOneProcess(model: String) throws {
    let folder = try TemporaryFolder()
    var partitions = ""
    for (board, name, script) in [("SB0", "server", Self.serving), ("SB1", "client", Self.asking)] {
      let options = try arguments(script, in: folder, name: name)
      let kernel = try Guests.file("linux-6.1/vmlinux.gz").path
      partitions += """
          - {name: \(name), boards: [\(board)], kernel: \(kernel), initrd: \(name).cpio, nics: ["bridge=lan,model=\(model)"], console: \(name).log,
             append: "\(options.last ?? "")"}

        """
    }
    let machine = """
      boards:
        - {name: SB0, sockets: 1, memory: 1G}
        - {name: SB1, sockets: 1, memory: 1G}
      partitions:
      \(partitions)
      """
    let file = try folder.write("machine.yaml", Array(machine.utf8))
    var runs: [[String]] = []
    for number in 0..<(Guests.isComplete ? 2 : 1) {
      let stats = folder.url.appendingPathComponent("stats\(number).json")
      let result = try Epicure.run(
        ["boot", "--virtualization", "none", "--machine", file, "--stats", stats.path], seconds: Self.seconds)
      #expect(result.status == 0, "\(result.errors)")
      let texts = try ["server", "client"].map {
        try String(contentsOf: folder.url.appendingPathComponent($0 + ".log"), encoding: .utf8)
      }
      check(texts[0], texts[1])
      let json = try String(contentsOf: stats, encoding: .utf8)
      runs.append(texts + [lines(json).filter { !$0.contains("host_seconds") }.joined()])
    }
    #expect(runs.allSatisfy { $0 == runs[0] })
  }

  // MARK: TAP

  /// In a network namespace of its own, where the test is the administrator.
  static var mayMakeTAP: Bool {
    let answer = try? HostTool.run("unshare", ["-r", "-n", "ip", "tuntap", "add", "tap0", "mode", "tap"])
    return answer?.status == 0
  }

  @Test(
    .enabled(if: mayMakeTAP, "skipped: this environment lets nobody make a TAP device (unshare -r -n ip tuntap add tap0 mode tap)"))
  func tap() throws {
    let folder = try TemporaryFolder()
    let guest = """
      ifconfig eth0 192.168.77.2 up
      until [ "$(cat /sys/class/net/eth0/carrier)" = 1 ]; do sleep 1; done
      ping -c 3 -s 1400 192.168.77.1
      """
    let command = try ([Epicure.executable.path] + arguments(guest, in: folder) + ["--nic", "tap=tap0", "--limit-seconds", "60"])
      .map { "'\($0)'" }.joined(separator: " ")
    let setUp = "ip tuntap add tap0 mode tap && ip address add 192.168.77.1/24 dev tap0 && ip link set tap0 up"
    let answer = try HostTool.run("unshare", ["-r", "-n", "sh", "-c", "\(setUp) && \(command) </dev/null"])
    #expect(answer.status == 0)
    #expect(answer.text.contains("3 packets transmitted, 3 packets received, 0% packet loss"), "\(answer.text.suffix(1500))")
    #expect(complaints(answer.text) == [])
  }

  // MARK: Mistakes

  @Test(arguments: [
    ("user,model=ne2k", "there is no model \"ne2k\"; there is e1000, virtio, netfront"),
    ("tap=no/tap", "cannot be the name of a TAP device"),
    ("user,capture=/nowhere/f", "cannot write /nowhere/f: No such file or directory"), ("lan", "is not none, user, bridge=NAME"),
  ])
  func mistakes(_ nic: String, _ message: String) throws {
    let result = try Epicure.run(["boot", "--virtualization", "hvm", "--nic", nic])
    #expect(result.status == 2)
    #expect(result.errors.contains(message), "\(result.errors)")
    #expect(result.output.isEmpty)
  }

  @Test func oneAddressForTwo() throws {
    let nic = ["--nic", "user,mac=02:00:00:00:00:01"]
    let result = try Epicure.run(["boot", "--virtualization", "hvm"] + nic + nic)
    #expect(result.status == 2)
    #expect(result.errors == "epicure: nic1 cannot have the address 02:00:00:00:00:01: nic0 has it\n")
  }
}

/// A guest that runs beside the test, with `</dev/null`. Its bridges are in the folder.
final class BackgroundGuest {
  private let process = Process()
  private let output: URL
  private let errors: URL

  init(_ arguments: [String], in folder: TemporaryFolder, name: String = "guest") throws {
    output = folder.url.appendingPathComponent(name + ".output")
    errors = folder.url.appendingPathComponent(name + ".errors")
    for url in [output, errors] { try Data().write(to: url) }
    process.executableURL = Epicure.executable
    process.arguments = arguments
    process.environment = ["PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": folder.url.path]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
  }
  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  var isRunning: Bool { process.isRunning }

  /// Waits for the end, or puts an end to it: the status is then not 0.
  func finish(seconds: Double) -> (status: Int32, text: String, errors: String) {
    let deadline = Date().addingTimeInterval(seconds)
    while process.isRunning && Date() < deadline { usleep(20_000) }
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    func text(_ url: URL) -> String { String(decoding: (try? Data(contentsOf: url)) ?? Data(), as: UTF8.self) }
    return (process.terminationStatus, text(output), text(errors))
  }
}

/// A server for `wget` on the loopback address: a GET gets the data, a POST is written to a file. It has a thread of its own.
final class WebServer: Sendable {
  let port: UInt16
  private let listener: Int32
  private let data: [UInt8]
  private let file: URL

  init(sending data: [UInt8], receivingTo file: URL) throws {
    self.data = data
    self.file = file
    (listener, port) = try Self.listen()
    Thread.detachNewThread { [self] in
      while case let connection = accept(listener, nil, nil), connection >= 0 {
        serve(connection)
        close(connection)
      }
    }
  }

  private static func listen() throws -> (Int32, UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) + Foundation.listen(descriptor, 8) + getsockname(descriptor, $0, &size)
      }
    }
    try #require(result == 0)
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }

  /// A port that nobody had a moment ago.
  static func freePort() throws -> UInt16 {
    let (descriptor, port) = try listen()
    close(descriptor)
    return port
  }

  /// What a server says to whoever connects; empty if there is none.
  static func ask(_ port: UInt16) -> String {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard result == 0 else { return "" }
    var limit = timeval(tv_sec: 3, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = recv(descriptor, &bytes, bytes.count, 0)
    return String(decoding: bytes[0..<max(0, count)], as: UTF8.self)
  }

  private func send(_ bytes: [UInt8], to connection: Int32) {
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes { Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if count <= 0 { return }
      done += count
    }
  }

  private func serve(_ connection: Int32) {
    var request: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    func more() -> Bool {
      let count = recv(connection, &buffer, buffer.count, 0)
      if count > 0 { request += buffer[0..<count] }
      return count > 0
    }
    func headerEnd() -> Int? { request.count < 4 ? nil : (4...request.count).first { request[($0 - 4)..<$0] == [13, 10, 13, 10] } }
    while headerEnd() == nil { guard more() else { return } }
    guard let end = headerEnd() else { return }
    let header = String(decoding: request[0..<end], as: UTF8.self)
    func respond(_ body: [UInt8]) {
      send(Array("HTTP/1.0 200 OK\r\nContent-Length: \(body.count)\r\n\r\n".utf8), to: connection)
      send(body, to: connection)
    }
    guard header.hasPrefix("POST") else { return respond(data) }
    let length =
      header.split(whereSeparator: \.isNewline).first { $0.lowercased().hasPrefix("content-length:") }
      .flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
    while request.count < end + length { guard more() else { return } }
    try? Data(request[end...]).write(to: file)
    respond(Array("posted=\(length)\n".utf8))
  }
}
