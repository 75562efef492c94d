import ArgumentParser
import Foundation
import Hypervisor
import Platform
import Processor

/// `--virtualization`: what the guest's processors are.
enum Virtualization: String, ExpressibleByArgument, CaseIterable, Codable {
  /// The bare machine.
  case bare = "none"
  /// A fully virtualized domain, under the hypervisor on VT-i.
  case hvm
  /// A paravirtualized domain.
  case pv

  /// Builds the domain of one guest that has a machine for itself; nil: there is none.
  /// `accelerations`: of a fully virtualized one.
  func makesDomain(
    _ accelerations: VirtualProcessorDescriptor.Accelerations = .implemented
  ) -> ((MachineConfiguration) throws -> Domain)? {
    switch self {
    case .bare: nil
    case .hvm: { try HVMDomain.alone($0, accelerations: accelerations) }
    case .pv: { try ParavirtualDomain.alone($0) }
    }
  }
}

/// What the real system keeps for itself: 1024 MB for the host's operating system, 64 MB for the hypervisor.
enum HostMemory {
  static let operatingSystem: UInt64 = 1024 << 20
  static let hypervisor: UInt64 = 64 << 20
  static let kept = operatingSystem + hypervisor
  /// What a domain may take for its grant table.
  static let services: UInt64 = 1 << 20

  /// Bytes of a machine that has just enough for these domains.
  static func size(for domains: [MachineConfiguration]) -> UInt64 {
    domains.reduce(kept) { $0 + HVMDomain.memoryNeeded($1) + services }
  }
}

extension Domain {
  /// Nil: it has none.
  func setIdentity(_ uuid: UUID?) {
    guard let uuid else { return }
    self.uuid = withUnsafeBytes(of: uuid.uuid) { Array($0) }
  }
}

extension ParavirtualDomain {
  /// The domain of one guest that has a machine for itself.
  static func alone(_ machine: MachineConfiguration) throws -> ParavirtualDomain {
    let configuration = Configuration(memorySize: machine.memorySize, processors: machine.processors)
    let pool = try FramePool(size: HostMemory.kept + memoryNeeded(configuration) + HostMemory.services, kept: HostMemory.kept)
    return try ParavirtualDomain(configuration, pool: pool)
  }
}

extension HVMDomain {
  /// The domain of one guest that has a machine for itself.
  static func alone(
    _ machine: MachineConfiguration, accelerations: VirtualProcessorDescriptor.Accelerations = .implemented
  ) throws -> HVMDomain {
    let pool = try FramePool(size: HostMemory.size(for: [machine]), kept: HostMemory.kept)
    var configuration = HVMDomain.Configuration(machine: machine)
    configuration.accelerations = accelerations
    return try HVMDomain(configuration, pool: pool)
  }
}
