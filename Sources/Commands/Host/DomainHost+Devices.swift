import HostResources
import Hypervisor
import Management
import SplitDrivers

/// Paravirtualized devices that come and go while a domain runs.
extension DomainHost {
  private func server(_ name: String) throws -> (HostedDomain, Server, DriverHost) {
    let domain = try domain(name)
    guard domain.end == nil, let server = domain.server, let drivers = server.drivers else {
      throw CommandFailure(CommandFailure.badInput, "\(domain.name) does not run any more")
    }
    return (domain, server, drivers)
  }

  private func backEnds(_ kind: String, _ server: Server, _ drivers: DriverHost) -> [BackEnd] {
    drivers.backEnds.filter { $0.kind == kind && $0.domain == server.domain?.domainNumber }.sorted { $0.device < $1.device }
  }

  // MARK: Block devices

  func attachBlock(_ name: String, _ text: String, folder: String) throws -> HostedDomain {
    let (domain, server, _) = try server(name)
    let disk: DiskConfiguration
    do throws(SettingProblem) { disk = try DiskConfiguration(parsing: text) } catch {
      throw CommandFailure(CommandFailure.badInput, "\(domain.name): \(error.description)")
    }
    var machine = domain.machine
    machine.folder = folder
    guard let specification = try machine.blockDevice(disk) else {
      throw CommandFailure(CommandFailure.badInput, "\(domain.name): a device without a medium cannot be attached")
    }
    let open = try OpenDisk(specification)
    let backEnd = try server.attachBlock(open)
    backEnd.whenGone = { [weak server, weak storage = open.storage] in if let storage { server?.letGo(storage) } }
    return domain
  }

  func detach(_ name: String, kind: String, device: String, force: Bool) throws -> HostedDomain {
    let (domain, server, drivers) = try server(name)
    let number = kind == "vbd" ? (try? VirtualDevice(parsing: device)).map { Int($0.number) } : Int(device)
    guard let backEnd = backEnds(kind, server, drivers).first(where: { $0.device == number }) else {
      throw CommandFailure(
        CommandFailure.badInput, "\(domain.name) has no \(kind == "vbd" ? "block device" : "network interface") '\(device)'")
    }
    if force { drivers.destroy(backEnd) } else { try drivers.unplug(backEnd) }
    return domain
  }

  func blocks(_ name: String) throws -> [BlockDeviceSummary] {
    let (_, server, drivers) = try server(name)
    return backEnds("vbd", server, drivers).map { backEnd in
      BlockDeviceSummary(
        device: backEnd.device, backend: 0, handle: 0, state: backEnd.frontValue("state").flatMap { Int($0) } ?? 0,
        eventChannel: backEnd.frontValue("event-channel").flatMap { Int($0) } ?? -1,
        ring: backEnd.frontValue("ring-ref").flatMap { Int($0) } ?? -1, path: backEnd.path)
    }
  }

  // MARK: Network interfaces

  func attachInterface(_ name: String, _ text: String) throws -> HostedDomain {
    let (domain, server, drivers) = try server(name)
    let interface: InterfaceConfiguration
    do throws(SettingProblem) { interface = try InterfaceConfiguration(parsing: text) } catch {
      throw CommandFailure(CommandFailure.badInput, "\(domain.name): \(error.description)")
    }
    var specification = try domain.machine.adapter(interface)
    specification.model = .netfront
    let before = Set(backEnds("vif", server, drivers).map(\.device))
    let plugged = try networks.plug([specification], into: server)
    if let backEnd = backEnds("vif", server, drivers).first(where: { !before.contains($0.device) }) {
      backEnd.whenGone = { [weak self] in self?.networks.unplug(plugged) }
    }
    return domain
  }

  func interfaces(_ name: String) throws -> [InterfaceSummary] {
    let (_, server, drivers) = try server(name)
    return backEnds("vif", server, drivers).map { backEnd in
      func number(_ key: String) -> Int { backEnd.frontValue(key).flatMap { Int($0) } ?? -1 }
      return InterfaceSummary(
        index: backEnd.device, backend: 0, address: backEnd.frontValue("mac") ?? "", handle: max(0, number("handle")),
        state: max(0, number("state")), eventChannel: number("event-channel"), transmitRing: number("tx-ring-ref"),
        receiveRing: number("rx-ring-ref"), path: backEnd.path)
    }
  }
}
