import ArgumentParser
import Management

/// `epicure sched-credit`
struct SchedCreditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sched-credit", abstract: "Show or set how the credit scheduler treats domains.",
    discussion: """
      The weight (1 to 65535, 256 without one) is a domain's share of busy processors relative to others'. The cap is the most that it \
      gets, in percent of one processor; 0 is no cap.

      Example: epicure sched-credit -d web -w 512 -c 50
      """)
  @Option(name: [.short, .long], help: "The domain, by name or number; without it all are shown.")
  var domain: String?
  @Option(name: [.short, .long], help: "Its weight from now on.")
  var weight: Int?
  @Option(name: [.short, .long], help: "Its cap from now on.")
  var cap: Int?
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard domain != nil || weight == nil && cap == nil else { throw ValidationError("-w and -c need a domain: -d DOMAIN.") }
  }

  func run() throws {
    if let domain, weight != nil || cap != nil { return try control.act(.setScheduling(domain: domain, weight: weight, cap: cap)) }
    guard case .scheduling(let list) = try control.ask(.scheduling(domains: domain.map { [$0] } ?? [])) else {
      throw ControlOptions.misunderstanding
    }
    try control.print(list) { XMTables.scheduling(list) }
  }
}

/// `epicure vcpu-pin`
struct VCPUPinCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vcpu-pin", abstract: "Say on which of the server's processors a virtual one may run.",
    discussion: """
      Example: epicure vcpu-pin web 0 1       its first virtual processor runs on processor 1 only
               epicure vcpu-pin web all all   all of them anywhere
      """)
  @OptionGroup var control: ControlOptions
  @Argument(help: "The domain, by name or number.")
  var domain: String
  @Argument(help: "The virtual processor's number, or all.")
  var vcpu: String
  @Argument(help: "Processors such as 0-3,5,^1, or all.")
  var cpus: String

  func run() throws {
    let processor = Int(vcpu)
    guard vcpu == "all" || processor.map({ $0 >= 0 }) == true else {
      throw CommandFailure(CommandFailure.badInput, "the virtual processor is a number or all, not '\(vcpu)'")
    }
    let mask: ProcessorMask
    do throws(SettingProblem) { mask = try ProcessorMask(parsing: cpus) } catch {
      throw CommandFailure(CommandFailure.badInput, error.description)
    }
    try control.act(.pin(domain: domain, processor: processor, to: mask))
  }
}

/// `epicure mem-set`
struct MemSetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mem-set", abstract: "Set how much memory the server keeps for a domain.",
    discussion: """
      Less: memory that the guest has not touched, or that is all zeros, goes back to the server at once. If the guest needs it later it \
      gets it while the server has some; a guest that gets none crashes. More: up to what the domain was started with.

      Example: epicure mem-set web 96
      """)
  @OptionGroup var control: ControlOptions
  @Argument(help: "The domain, by name or number.")
  var domain: String
  @Argument(help: "MiB, or a number with K, M or G.")
  var memory: String

  func run() throws {
    let amount: MemoryAmount
    do throws(SettingProblem) { amount = try MemoryAmount(parsing: memory) } catch {
      throw CommandFailure(CommandFailure.badInput, error.description)
    }
    guard case .memory(let setting) = try control.ask(.setMemory(domain: domain, mebibytes: amount.mebibytes)) else {
      throw ControlOptions.misunderstanding
    }
    if control.json { try control.print(setting) { "" } }
    if setting.memory > setting.target {
      StandardError.write("epicure: \(setting.name) uses \(setting.memory) MiB: only the guest could give back more")
    }
  }
}
