import Foundation
import Inspection
import Management

/// What goes over the control socket: one JSON object per line in each direction. Documentation/Domains.md describes it.
enum ControlProtocol {
  static let version = 1
  /// A configuration file and what goes with it.
  static let largestRequest = 4 << 20
  static let largestReply = 64 << 20
}

struct ControlRequest: Codable, Equatable {
  enum Command: Codable, Equatable {
    /// `file`: its name, for messages; `folder`: where relative names in it begin.
    case create(file: String, contents: Data, overrides: [String], folder: String, paused: Bool)
    /// Domains by name or number; none: all.
    case list(domains: [String])
    case virtualProcessors(domains: [String])
    case scheduling(domains: [String])
    case uptime(domains: [String])
    case load(domains: [String])
    case info
    case pause(domain: String)
    case unpause(domain: String)
    case shutdown(domain: String)
    case reboot(domain: String)
    case destroy(domain: String)
    case setScheduling(domain: String, weight: Int?, cap: Int?)
    /// `processor` nil: all.
    case pin(domain: String, processor: Int?, to: ProcessorMask)
    case setMemory(domain: String, mebibytes: Int)
    /// `disk`: as in a configuration file; `folder`: where a relative name in it begins.
    case attachBlock(domain: String, disk: String, folder: String)
    case detachBlock(domain: String, device: String, force: Bool)
    case blocks(domain: String)
    /// `settings`: a vif as in a configuration file.
    case attachInterface(domain: String, settings: String)
    case detachInterface(domain: String, device: Int, force: Bool)
    case interfaces(domain: String)
    case crashReport(domain: String)
    /// What is on its screen, as a PNG file.
    case screenshot(domain: String)
    /// Where an address leads in a guest; `privilege` nil: at its current level.
    case explain(domain: String, processor: Int, address: UInt64, access: String, privilege: UInt64?)
    /// After the reply the connection is the console: bytes, both ways.
    case console(domain: String, history: Bool)
  }
  var version = ControlProtocol.version
  var command: Command
}

struct ControlReply: Codable {
  enum Result: Codable {
    /// The domains that were asked for, or the one to which something was done.
    case domains([DomainRecord])
    case created(DomainRecord, warnings: [String])
    case virtualProcessors([VirtualProcessorSummary], processors: Int)
    case scheduling([SchedulingSummary])
    case uptime([UptimeSummary])
    case load(ServerLoad)
    case info(HostInformation)
    case memory(MemorySetting)
    case explanation(AddressExplanation)
    case blocks([BlockDeviceSummary])
    case interfaces([InterfaceSummary])
    case text(String)
    case file(Data)
    case console
  }
  var version = ControlProtocol.version
  var result: Result?
  /// One line for the user.
  var error: String?

  init(_ result: Result) { self.result = result }
  init(error: String) { self.error = error }
}

/// What each domain uses, at one moment of the server's clock: `epicure top` compares two.
struct ServerLoad: Codable, Equatable {
  struct Domain: Codable, Equatable {
    var name: String
    var id: Int
    var state: DomainState
    var virtualProcessors: Int
    var processorSeconds: Double
    /// Wanted a processor and had none.
    var stolenSeconds: Double
    var exits: UInt64
    var instructions: UInt64
    /// MiB.
    var memory: Int
    var maximumMemory: Int
    /// MiB that the guest has touched.
    var residentMemory: Int
  }
  /// Of the server's clock, since it was switched on.
  var seconds: Double
  var processors: Int
  var totalMemory: Int
  var freeMemory: Int
  var domains: [Domain]
}

/// How far `mem-set` went without the guest's help.
struct MemorySetting: Codable, Equatable {
  var name: String
  /// MiB.
  var target: Int
  var memory: Int
  var freeMemory: Int
}
