import Foundation
import Management
import Testing

/// The tables of xm. The lines are what Python makes of the formats of xm's main.py (changeset 67c97dc9f7) with these values.
@Suite struct FormatTests {
  @Test func list() {
    let domains = [
      DomainSummary(name: "Domain-0", id: 0, memory: 1024, virtualProcessors: 24, state: .running, processorSeconds: 10956905),
      DomainSummary(name: "My-PV-VM", id: 7, memory: 10240, virtualProcessors: 4, state: .blocked, processorSeconds: 18018883.94),
      DomainSummary(name: "stopped", id: nil, memory: 256, virtualProcessors: 1, state: nil, processorSeconds: 0),
      DomainSummary(name: "a", id: 12, memory: 64, virtualProcessors: 1, state: [.paused, .crashed], processorSeconds: 0.25),
    ]
    #expect(
      XMTables.list(domains) == """
        Name                                        ID   Mem VCPUs      State   Time(s)
        Domain-0                                     0  1024    24     r----- 10956905.0
        My-PV-VM                                     7 10240     4     -b---- 18018883.9
        stopped                                          256     1                 0.0
        a                                           12    64     1     --p-c-      0.2

        """)
  }

  @Test func virtualProcessors() {
    func summary(
      _ number: Int, _ processor: Int?, online: Bool = true, running: Bool = false, blocked: Bool = false, _ seconds: Double,
      _ mask: UInt64
    )
      -> VirtualProcessorSummary
    {
      VirtualProcessorSummary(
        name: "guest", id: processor == nil ? nil : 3, number: number, processor: processor, isOnline: online, isRunning: running,
        isBlocked: blocked, processorSeconds: seconds, affinity: ProcessorMask(bits: mask))
    }
    let table = XMTables.virtualProcessorList(
      [
        summary(0, 1, running: true, 12.34, .max), summary(1, 0, blocked: true, 1234567.8, 0b1), summary(2, 3, 0, 0b1011),
        summary(3, 2, online: false, 0, 15),
        summary(4, 1, 0, 0), summary(5, 1, 0, 0x100), summary(0, nil, online: false, 0, .max),
      ], processors: 4)
    #expect(
      table == """
        Name                                ID  VCPU   CPU State   Time(s) CPU Affinity
        guest                                3     0     1   r--      12.3 any cpu
        guest                                3     1     0   -b-  1234567.8 0
        guest                                3     2     3   ---       0.0 0-1,3
        guest                                3     3     -   --p       0.0 any cpu
        guest                                3     4     1   ---       0.0 no cpus
        guest                                3     5     1   ---       0.0 0
        guest                                      0                   0.0 any cpu

        """)
  }

  @Test func scheduling() {
    #expect(
      XMTables.scheduling([
        SchedulingSummary(name: "Domain-0", id: 0, weight: 256, cap: 0),
        SchedulingSummary(name: "guest", id: 12, weight: 65535, cap: 400),
        SchedulingSummary(name: "old", id: nil, weight: nil, cap: nil),
      ]) == """
        Name                                ID Weight  Cap
        Domain-0                             0    256    0
        guest                               12  65535  400
        old                                        -1   -1

        """)
  }

  @Test func uptime() {
    let domains = [
      UptimeSummary(name: "Domain-0", id: 0, seconds: 86400 * 2 + 3600 * 3 + 60 * 4 + 5),
      UptimeSummary(name: "guest", id: 7, seconds: 59.6),
      UptimeSummary(name: "one", id: 8, seconds: 86400 + 3600 * 12),
    ]
    #expect(
      XMTables.uptime(domains) == "Name                                ID Uptime \n"
        + "Domain-0                             0 2 days,  3:04:05\n"
        + "guest                                7  0:01:00\n"
        + "one                                  8 1 day, 12:00:00\n")
    #expect(
      XMTables.shortUptime(domains, hour: 9, minute: 5, second: 30) == """
         09:05:30 up 2 days,  3:04, Domain-0 (0)
         09:05:30 up  0:01, guest (7)
         09:05:30 up 1 day, 12:00, one (8)

        """)
    #expect(XMTables.uptime([UptimeSummary(name: "x", id: 1, seconds: .infinity)]).contains("day"))
    #expect(XMTables.uptime([UptimeSummary(name: "x", id: 1, seconds: .nan)]).contains(" 0:00:00"))
  }

  @Test func info() {
    var host = HostInformation(
      release: "2.6.18-8.el5xen", version: "#1 SMP", processors: 4, socketsPerNode: 1, coresPerSocket: 2, threadsPerCore: 2,
      megahertz: 1600,
      totalMemory: 4096, freeMemory: 2048)
    host.nodeProcessors = [ProcessorMask(bits: 3), ProcessorMask(bits: 12)]
    host.nodes = 2
    let lines = XMTables.info(host).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(
      lines == [
        "system                 : Linux", "host                   : localhost", "release                : 2.6.18-8.el5xen",
        "version                : #1 SMP", "machine                : ia64", "nr_cpus                : 4",
        "nr_nodes               : 2",
        "sockets_per_node       : 1", "cores_per_socket       : 2", "threads_per_core       : 2", "cpu_mhz                : 1600",
        "hw_caps                : (none)", "total_memory           : 4096", "free_memory            : 2048",
        "node_to_cpu            : node0:0-1",
        "                         node1:2-3", "xen_major              : 3", "xen_minor              : 1",
        "xen_extra              : .0",
        "xen_caps               : xen-3.0-ia64 hvm-3.0-ia64", "xen_scheduler          : credit", "xen_pagesize           : 16384",
        "platform_params        : virt_start=0xf000000000000000", "xen_changeset          : (none)",
        "cc_compiler            : (none)",
        "cc_compile_by          : (none)", "cc_compile_domain      : (none)", "cc_compile_date        : (none)",
        "xend_config_format     : 4", "",
      ])
  }

  @Test func states() throws {
    #expect(DomainState([.running, .blocked, .paused, .shutdown, .crashed, .dying]).description == "rbpscd")
    #expect(DomainState([]).description == "------" && DomainState.shutdown.description == "---s--")
  }

  /// sxp.py's show(): atoms, and repr() of the rest.
  @Test(arguments: [
    ("abc", "abc"), ("", ""), ("a b", "'a b'"), ("/dev/hda1:x-y.z~", "/dev/hda1:x-y.z~"), ("a_b", "a_b"), ("@", "@"),
    ("it's", "\"it's\""),
    ("both'\"", #"'both\'"'"#), ("a\\b\n\u{1}", #"'a\\b\n\x01'"#), ("!x", "'!x'"),
  ]) func atoms(_ text: String, _ expected: String) {
    #expect(SExpression.text(text).flat == expected)
  }

  @Test func numbers() {
    #expect(SExpression.number(1230489041.67).flat == "1230489041.67" && SExpression.number(5.977945576).flat == "5.977945576")
    #expect(SExpression.number(5).flat == "5.0" && SExpression.integer(-3).flat == "-3" && SExpression.list([]).flat == "()")
  }

  /// The shape of an `xm list --long` of Xen 3.3 from a mailing list: the same lines, the same order.
  @Test func longList() throws {
    let file = try read(
      """
      name = 'UbuntuPVS810'; bootloader = '/usr/bin/pygrub'; memory = 4096
      vif = ['bridge=eth0, mac=00:16:3e:1b:8b:d2, script=/etc/xen/scripts/vif-bridge']
      disk = ['phy:/dev/sdb7,xvda,w']
      """)
    let record = DomainRecord(
      configuration: file.configuration, id: 15, uuid: "d9a1b362-c834-67ab-4e9d-d4b706699297", memory: 4096, onlineProcessors: 1,
      state: .blocked,
      startTime: 1230489041.67, processorSeconds: 5.977945576, storeFrame: 2216783, consoleFrame: 2216782)
    #expect(
      record.sExpression.pretty() == """
        (domain
            (domid 15)
            (on_crash restart)
            (uuid d9a1b362-c834-67ab-4e9d-d4b706699297)
            (bootloader_args )
            (vcpus 1)
            (name UbuntuPVS810)
            (on_poweroff destroy)
            (on_reboot restart)
            (bootloader /usr/bin/pygrub)
            (maxmem 4096)
            (memory 4096)
            (shadow_memory 0)
            (features )
            (on_xend_start ignore)
            (on_xend_stop ignore)
            (start_time 1230489041.67)
            (cpu_time 5.977945576)
            (online_vcpus 1)
            (image (linux (kernel )))
            (status 2)
            (state -b----)
            (store_mfn 2216783)
            (console_mfn 2216782)
            (device
                (vif
                    (bridge eth0)
                    (mac 00:16:3e:1b:8b:d2)
                    (script /etc/xen/scripts/vif-bridge)
                    (backend 0)
                )
            )
            (device
                (vbd
                    (dev xvda:disk)
                    (uname phy:/dev/sdb7)
                    (mode w)
                    (backend 0)
                    (bootable 1)
                )
            )
        )

        """)
    #expect(
      record.summary
        == DomainSummary(
          name: "UbuntuPVS810", id: 15, memory: 4096, virtualProcessors: 1, state: .blocked, processorSeconds: 5.977945576))
  }

  /// Two lists that fill the line to the last column, and one that is a column too long (PrettyPrint.py's Line.fits).
  @Test func prettyPrinting() {
    func list(_ length: Int) -> SExpression { .list([.text("a"), .text(String(repeating: "b", count: length))]) }
    #expect(list(76).pretty() == "(a " + String(repeating: "b", count: 76) + ")\n")
    #expect(list(77).pretty() == "(a\n    " + String(repeating: "b", count: 77) + "\n)\n")
    #expect(SExpression.list([list(77)]).pretty() == "((a\n     " + String(repeating: "b", count: 77) + "\n )\n)\n")
  }

  @Test func json() throws {
    let domains = [DomainSummary(name: "a", id: nil, memory: 64, virtualProcessors: 1, state: nil, processorSeconds: 0.5)]
    #expect(
      try ManagementJSON.text(domains) == """
        [
          {
            "memory" : 64,
            "name" : "a",
            "processor_seconds" : 0.5,
            "virtual_processors" : 1
          }
        ]

        """)
    let running = DomainSummary(name: "a", id: 3, memory: 64, virtualProcessors: 1, state: [.blocked, .dying], processorSeconds: 1)
    let text = try ManagementJSON.text(running)
    #expect(text.contains(#""state" : "-b---d""#))
    #expect(try ManagementJSON.value(DomainSummary.self, from: text) == running)
    let processor = VirtualProcessorSummary(
      name: "a", id: 3, number: 0, processor: 1, isOnline: true, isRunning: true, isBlocked: false, processorSeconds: 1,
      affinity: .all)
    #expect(try ManagementJSON.value(VirtualProcessorSummary.self, from: try ManagementJSON.text([processor][0])) == processor)
    #expect((try? ManagementJSON.value(DomainSummary.self, from: text.replacingOccurrences(of: "-b---d", with: "xb---d"))) == nil)
  }
}
