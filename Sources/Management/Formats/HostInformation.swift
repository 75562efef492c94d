/// What `xm info` says about the server and its hypervisor.
public struct HostInformation: Sendable, Equatable, Codable {
  public var system = "Linux"
  public var host = "localhost"
  public var release: String
  public var version: String
  public var machine = "ia64"
  public var processors: Int
  public var nodes = 1
  public var socketsPerNode: Int
  public var coresPerSocket: Int
  public var threadsPerCore: Int
  public var megahertz: Int
  public var hardwareCapabilities = ""
  /// MiB.
  public var totalMemory: Int
  public var freeMemory: Int
  /// The processors of each node.
  public var nodeProcessors: [ProcessorMask]
  public var xenMajor = 3
  public var xenMinor = 1
  public var xenExtra = ".0"
  public var xenCapabilities = "xen-3.0-ia64 hvm-3.0-ia64"
  public var xenScheduler = "credit"
  public var xenPageSize = 16384
  public var platformParameters = "virt_start=0xf000000000000000"
  public var xenChangeset = ""
  public var compiler = ""
  public var compiledBy = ""
  public var compileDomain = ""
  public var compileDate = ""
  public var configurationFormat = 4

  public init(
    release: String, version: String, processors: Int, socketsPerNode: Int, coresPerSocket: Int, threadsPerCore: Int,
    megahertz: Int,
    totalMemory: Int, freeMemory: Int
  ) {
    (self.release, self.version, self.processors) = (release, version, processors)
    (self.socketsPerNode, self.coresPerSocket, self.threadsPerCore) = (socketsPerNode, coresPerSocket, threadsPerCore)
    (self.megahertz, self.totalMemory, self.freeMemory) = (megahertz, totalMemory, freeMemory)
    nodeProcessors = [ProcessorMask.first(processors)]
  }

  /// Keys and values in xm's order (XendNode.py, 2007).
  public var items: [(key: String, value: String)] {
    [
      ("system", system), ("host", host), ("release", release), ("version", version), ("machine", machine),
      ("nr_cpus", String(processors)), ("nr_nodes", String(nodes)), ("sockets_per_node", String(socketsPerNode)),
      ("cores_per_socket", String(coresPerSocket)), ("threads_per_core", String(threadsPerCore)), ("cpu_mhz", String(megahertz)),
      ("hw_caps", hardwareCapabilities), ("total_memory", String(totalMemory)), ("free_memory", String(freeMemory)),
      ("node_to_cpu", nodeText), ("xen_major", String(xenMajor)), ("xen_minor", String(xenMinor)), ("xen_extra", xenExtra),
      ("xen_caps", xenCapabilities), ("xen_scheduler", xenScheduler), ("xen_pagesize", String(xenPageSize)),
      ("platform_params", platformParameters), ("xen_changeset", xenChangeset), ("cc_compiler", compiler),
      ("cc_compile_by", compiledBy),
      ("cc_compile_domain", compileDomain), ("cc_compile_date", compileDate), ("xend_config_format", String(configurationFormat)),
    ]
  }

  /// One line for each node; those after the first stand under its value.
  private var nodeText: String {
    let lines = nodeProcessors.enumerated().map { "node\($0):\($1.bits == 0 ? "no cpus" : $1.ranges)" }
    return lines.isEmpty ? "none" : lines.joined(separator: "\n" + String(repeating: " ", count: 25))
  }
}
