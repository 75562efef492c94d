import Foundation
import TestSupport
import Testing

/// `--trace` and `epicure trace`, with real guests and others' tools.
@Suite("epicure trace", .serialized, .ends(withinMinutes: 10)) struct TraceTests {
  private static func json(_ text: some DataProtocol) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text)) as? [String: Any])
  }

  private static func exits(_ summary: [String: Any]) throws -> [String: Int] {
    let causes = try #require(summary["causes"] as? [[String: Any]])
    return Dictionary(
      try causes.filter { $0["kind"] as? String == "exit" }.map {
        (try #require($0["cause"] as? String), try #require($0["count"] as? Int))
      },
      uniquingKeysWith: +)
  }

  /// A Linux boot as a domain: the trace's exits are those that --stats counts, exactly; the exports are read by the tools they are for.
  @Test(.enabled(if: Guests.shouldRun, Guests.advice)) func aLinuxBoot() throws {
    let folder = try TemporaryFolder()
    let (trace, stats) = (folder.url.appendingPathComponent("t").path, folder.url.appendingPathComponent("s.json"))
    let boot = [
      "boot", "--virtualization", "hvm", "--cpus", "2", "--kernel", try Guests.file("linux-6.1/vmlinux.gz").path, "--initrd",
      try Guests.file("linux-6.1/initramfs.cpio.gz").path, "--symbols", try Guests.file("linux-6.1/System.map.gz").path, "--until",
      "EPICURE GUEST READY",
    ]
    let run = try Epicure.run(boot + ["--trace", trace, "--stats", stats.path])
    #expect(run.status == 0, "\(run.errors)")
    let counted = try #require(Self.json(Data(contentsOf: stats))["exits"] as? [String: Int])
    let summary = try Epicure.run(["trace", "summary", trace, "--json"])
    let found = try Self.exits(Self.json(summary.output))
    #expect(found == counted)
    #expect(counted.values.reduce(0, +) > 10_000)

    let text = try Epicure.run(["trace", "summary", trace]).text
    #expect(text.contains("<ia64_leave_kernel") && text.contains("serial port"), "\(text.prefix(2000))")
    let rfi = try Epicure.run(["trace", "list", trace, "--filter", "exit cause=rfi", "--json"]).text.split(separator: "\n")
    #expect(rfi.count == counted["rfi"])

    try perfetto(trace, folder, counted)
    try ctf(trace, folder, counted)
    try folded(trace, counted)
  }

  /// Perfetto's own schema: slices nest and balance on every track.
  private func perfetto(_ trace: String, _ folder: TemporaryFolder, _ counted: [String: Int]) throws {
    let file = folder.url.appendingPathComponent("trace.pftrace").path
    #expect(try Epicure.run(["trace", "export", trace, "--format", "perfetto", "--output", file]).status == 0)
    let script = """
      import collections, json, sys
      from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent
      trace = Trace()
      trace.ParseFromString(open(sys.argv[1], "rb").read())
      tracks, events = {}, []
      for number, packet in enumerate(trace.packet):
        assert packet.trusted_packet_sequence_id == 1
        if packet.HasField("track_descriptor"):
          tracks[packet.track_descriptor.uuid] = packet.track_descriptor
        else:
          event = packet.track_event
          assert event.track_uuid in tracks, "an event on a track that was not described"
          events.append((packet.timestamp, number, event))
      depth, names = collections.Counter(), collections.Counter()
      for _, _, event in sorted(events, key=lambda e: e[:2]):
        if event.type == TrackEvent.TYPE_SLICE_BEGIN:
          depth[event.track_uuid] += 1
          assert depth[event.track_uuid] == 1, "exits do not lie in each other"
          if "exit" in event.categories: names[event.name] += 1
        elif event.type == TrackEvent.TYPE_SLICE_END:
          depth[event.track_uuid] -= 1
          assert depth[event.track_uuid] == 0, "an end without a beginning"
      assert not any(depth.values()), "a slice is open at the end"
      for track in tracks.values():
        if track.HasField("parent_uuid"): assert track.parent_uuid in tracks
      threads = sorted(t.thread.thread_name for t in tracks.values() if t.HasField("thread"))
      print(json.dumps({"names": names, "threads": threads}))
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [ProcessInfo.processInfo.environment["EPICURE_PYTHON"] ?? "python3", "-c", script, file]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "python3 with the package `perfetto` (`make test-packages`) found something")
    let result = try Self.json(text)
    #expect(result["names"] as? [String: Int] == counted)
    #expect(result["threads"] as? [String] == ["processor 0", "processor 1"])
  }

  private func ctf(_ trace: String, _ folder: TemporaryFolder, _ counted: [String: Int]) throws {
    let directory = folder.url.appendingPathComponent("ctf").path
    #expect(try Epicure.run(["trace", "export", trace, "--format", "ctf", "--output", directory]).status == 0)
    let text = String(decoding: try GNUTools.run("/usr/bin/babeltrace2", [directory]), as: UTF8.self)
    let exits = text.split(separator: "\n").filter { $0.contains(" exit: ") }
    #expect(exits.count == counted.values.reduce(0, +))
    #expect(exits.filter { $0.contains("cause = ( \"ssm\"") }.count == counted["ssm"])
  }

  /// What flamegraph.pl's parser accepts: frames between semicolons, a blank, a number.
  private func folded(_ trace: String, _ counted: [String: Int]) throws {
    let text = try Epicure.run(["trace", "export", trace, "--format", "folded", "--weight", "count", "--filter", "exit"]).text
    var sums: [String: Int] = [:]
    for line in text.split(separator: "\n") {
      let match = try #require(line.wholeMatch(of: /([^;]+);([^;]+);([^;]+?)(;[^;]+)? ([0-9]+)/), "\(line)")
      sums[String(match.3), default: 0] += Int(match.5) ?? 0
    }
    #expect(sums == counted)
  }

  @Test func aFlightRecorderKeepsTheLastEvents() throws {
    let folder = try TemporaryFolder()
    let flight = folder.url.appendingPathComponent("flight").path
    // The self-test's domain ends well: nothing is written.
    let good = try Epicure.run(["boot", "--virtualization", "hvm", "--flight-recorder", flight])
    #expect(good.status == 0)
    #expect(!FileManager.default.fileExists(atPath: flight))
    let bad = try Epicure.run([
      "boot", "--virtualization", "hvm", "--flight-recorder", flight, "--flight-events", "100", "--fail-on", "EPICURE SELFTEST",
    ])
    #expect(bad.status == 1)
    #expect(bad.errors.contains("the last 100 events are in \(flight): epicure trace list \(flight)"))
    let list = try Epicure.run(["trace", "list", flight])
    #expect(list.status == 0 && list.errors.isEmpty)
    #expect(list.text.split(separator: "\n").count == 101)
  }

  @Test func aConditionStopsTheRun() throws {
    let result = try Epicure.run(["boot", "--virtualization", "hvm", "--break", "exit cause=itr.d"])
    #expect(result.status == 0 && !result.text.contains("PASSED"), "\(result.text)")
    #expect(result.errors.contains("--break: ") && result.errors.contains("itr.d"), "\(result.errors)")
  }

  @Test(arguments: [
    (["trace", "summary", "/nonexistent"], "/nonexistent"),
    (["trace", "list", "/bin/sh"], "this is no trace of Epicure's"),
    (["trace", "export", "/bin/sh", "--format", "ctf"], "writes a directory"),
    (["boot", "--break", "exit and"], "the condition ends too early"),
    (["trace", "list", "/bin/sh", "--filter", "r32 = 1"], "a trace does not hold registers"),
    (["boot", "--trace", "/nonexistent/x"], "cannot write /nonexistent/x"),
  ]) func mistakesAreOneLine(_ arguments: [String], _ problem: String) throws {
    let result = try Epicure.run(arguments)
    #expect(result.status == 2)
    #expect(result.errors.contains(problem), "\(result.errors)")
  }
}
