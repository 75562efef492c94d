import HostResources
import Management

/// A physical PCI function of the server that `epicure serve --device` describes.
struct HostDevice {
  enum Kind {
    case disk(DiskSpecification)
    case adapter(NICSpecification)
  }
  let address: PCIDeviceConfiguration
  let kind: Kind

  /// `05:00.0,disk=FILE[,options]` or `05:00.0,nic=bridge=NAME[,options]`.
  init(parsing text: String) throws(CommandFailure) {
    func fail(_ reason: String) -> CommandFailure { CommandFailure(CommandFailure.badInput, "--device \(text): \(reason)") }
    guard let comma = text.firstIndex(of: ",") else { throw fail("it is ADDRESS,disk=FILE or ADDRESS,nic=NETWORK") }
    do throws(SettingProblem) { address = try PCIDeviceConfiguration(parsing: String(text[..<comma])) } catch {
      throw fail("\(error)")
    }
    let rest = text[text.index(after: comma)...]
    if rest.hasPrefix("disk=") {
      var disk: DiskSpecification
      do throws(DiskSpecification.Failure) { disk = try DiskSpecification(parsing: String(rest.dropFirst(5))) } catch {
        throw fail("\(error)")
      }
      guard disk.bus == nil || disk.bus == .scsi else { throw fail("the controllers that are handed out are SCSI controllers") }
      (disk.bus, disk.isDirect) = (.scsi, true)
      kind = .disk(disk)
    } else if rest.hasPrefix("nic=") {
      do throws(NICSpecification.Failure) {
        var adapter = try NICSpecification(parsing: String(rest.dropFirst(4)))
        adapter.isDirect = true
        kind = .adapter(adapter)
      } catch { throw fail("\(error)") }
    } else {
      throw fail("a device is disk=FILE or nic=NETWORK")
    }
  }
}

/// Who has which of them.
struct HostDevices {
  private let devices: [PCIDeviceConfiguration: HostDevice]
  private var owners: [PCIDeviceConfiguration: String] = [:]

  init(_ list: [HostDevice]) throws(CommandFailure) {
    var devices: [PCIDeviceConfiguration: HostDevice] = [:]
    for device in list {
      guard devices.updateValue(device, forKey: device.address) == nil else {
        throw CommandFailure(CommandFailure.badInput, "--device: there are two devices at \(device.address)")
      }
    }
    self.devices = devices
  }

  /// Gives all of these to a domain, or none.
  mutating func claim(_ addresses: [PCIDeviceConfiguration], for domain: String) throws(CommandFailure) -> [HostDevice] {
    var claimed: [HostDevice] = []
    for address in addresses {
      guard let device = devices[address] else {
        throw CommandFailure(
          CommandFailure.badInput, "\(domain): pci: this server has no device \(address) to hand out (serve --device)")
      }
      if let owner = owners[address] {
        throw CommandFailure(
          CommandFailure.badInput, "\(domain): pci: device \(address) belongs to domain '\(owner)', and a device has one owner")
      }
      claimed.append(device)
    }
    for address in addresses { owners[address] = domain }
    return claimed
  }

  mutating func release(_ domain: String) { owners = owners.filter { $0.value != domain } }
}
