import Hypervisor
import Processor

/// What there is to say about a kind of exit: why the guest was left, and what is done then.
struct ExitWords {
  var reason: String
  var handling: String

  init(_ kind: ExitKind) {
    switch kind {
    case .instruction(let cause):
      let words = InterceptWords(cause)
      reason =
        "a virtualized instruction: with PSR.vm = 1 it raises a Virtualization fault, cause \(cause.rawValue)"
        + (words.acceleration.map { " (accelerations: \($0))" } ?? " (no acceleration covers it)")
      handling = "the hypervisor \(words.handling) (Xen: \(words.counterpart))"
    case .externalInterrupt:
      reason = "an interrupt of the machine: its timer, a device, or another processor of the domain"
      handling = "the hypervisor serves it; what is meant for the guest becomes pending in its SAPIC"
    case .virtualExternalInterrupt:
      reason = "a_int: the guest has unmasked an interrupt that was pending, and the processor says so by vector 0x3400"
      handling = "the hypervisor delivers the interrupt to the guest's vector 0x3000"
    case .instructionMiss, .dataMiss:
      reason = "the machine's TLB and VHPT have no translation, and the guest has one"
      handling =
        "the hypervisor looks the address up in the guest's translations, exchanges the page for the machine's, and inserts that"
    case .deviceMemory, .port, .interruptBlock, .ioSAPIC:
      reason =
        switch kind {
        case .port: "a port of a device"
        case .interruptBlock: "the interrupt block: an interrupt message"
        case .ioSAPIC: "a register of the I/O SAPIC"
        default: "the memory of a device"
        }
      handling =
        "\(kind == .ioSAPIC ? "the hypervisor" : "the device's model") answers; the instruction is executed with a translation that is there for it alone"
    case .firmware:
      reason = "a call of PAL, SAL or EFI"
      handling = "the domain's own firmware answers"
    case .reflected(let vector):
      reason = "an interruption that is the guest's own business: \(Vector(rawValue: vector).map { "\($0)" } ?? "")"
      handling = "the hypervisor delivers it to the guest's vector 0x\(String(vector, radix: 16))"
    case .hyperprivop(let operation):
      reason = "the paravirtualized kernel asks for hyperprivop 0x\(String(operation.rawValue, radix: 16)), \(operation.name)"
      handling = "the hypervisor does it on the registers that it shares with the kernel"
    case .privilegedOperation:
      reason = "a privileged instruction of a paravirtualized kernel, which it might have asked for by a hyperprivop"
      handling = "the hypervisor executes it on the domain's state"
    case .event:
      reason = "an event channel of the domain is pending, and its mask is open"
      handling = "the hypervisor calls the kernel's event callback"
    case .hypercall(let number):
      reason = "\(kind.name), number \(number)"
      handling = "the hypervisor does it, and returns the result in r8"
    }
  }
}
