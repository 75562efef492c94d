import IA64
import Processor
import Testing

/// A guest's moves from AR.ITC (Volume 2, table 11-25): its PSR.si is in the VPD, the host's decides about intercepts.
@Suite("A guest's ITC")
struct GuestClockTests {
  private static let offset: UInt64 = 0x1234_0000_0000

  private func machine(gitc: Bool, psr: UInt64, vpsr: UInt64 = 0) throws -> TestMachine {
    let machine = try GuestMachine.make("mov.m r6=ar.itc ;;", vpsr: vpsr, psr: psr)
    machine.each {
      $0.state.pointee.virtualEnvironment.acceleratesITC = gitc
      $0.state.cr[CR.ito] = Self.offset
    }
    machine[ar: AR.itc] = 1 << 32
    return machine
  }

  private func level(_ n: UInt64) -> UInt64 { n << PSR.cplShift }

  @Test("Without gitc and with PSR.si = 0 the guest reads the processor's ITC, at every level") func direct() throws {
    for n in 0...3 as ClosedRange<UInt64> {
      let machine = try machine(gitc: false, psr: GuestMachine.psr | level(n))
      #expect(machine.run() == .done)
      #expect(machine[gr: 6] >> 20 == 1 << 12)
    }
  }

  @Test("Without gitc and with PSR.si = 1 it is intercepted, at every level") func intercepted() throws {
    for n in 0...3 as ClosedRange<UInt64> {
      let machine = try machine(gitc: false, psr: GuestMachine.psr | PSR.si | level(n))
      machine.expectIntercept(.movFromAR, opcode: try GuestMachine.opcode("mov.m r6=ar.itc", .m), bundle: TestMachine.code, slot: 0)
    }
  }

  @Test("With gitc it reads ITC + ITO, whatever PSR.si is") func accelerated() throws {
    for n in [0, 3] as [UInt64] {
      for si in [0, PSR.si] {
        let machine = try machine(gitc: true, psr: GuestMachine.psr | si | level(n))
        #expect(machine.run() == .done)
        #expect(machine[gr: 6] >> 20 == (1 << 32 + Self.offset) >> 20)
      }
    }
  }

  @Test("With gitc and the guest's PSR.si = 1: Privileged Register below level 0") func secure() throws {
    for si in [0, PSR.si] {
      let kernel = try machine(gitc: true, psr: GuestMachine.psr | si, vpsr: PSR.si)
      #expect(kernel.run() == .done)
      let user = try machine(gitc: true, psr: GuestMachine.psr | si | level(3), vpsr: PSR.si)
      #expect(user.run() == .interruption(.generalException))
      #expect(user.interruption.isr == 0x20)
    }
  }

  @Test("The host reads its own ITC; ITO is its register, with gitc only") func host() throws {
    let host = try machine(gitc: true, psr: PSR.ic)
    #expect(host.run() == .done)
    #expect(host[gr: 6] >> 20 == 1 << 12)
    let access = try GuestMachine.make("mov cr4=r4 ;;\nmov r6=cr4 ;;", psr: PSR.ic)
    access.each { $0.state.pointee.virtualEnvironment.acceleratesITC = true }
    access[gr: 4] = 0x77
    #expect(access.run() == .done)
    #expect(access[gr: 6] == 0x77)
    let missing = try GuestMachine.make("mov cr4=r4 ;;", psr: PSR.ic)
    #expect(missing.run() == .interruption(.generalException))
    #expect(missing.interruption.isr == 0)
    let guest = try GuestMachine.make("mov r6=cr4 ;;")
    guest.each { $0.state.pointee.virtualEnvironment.acceleratesITC = true }
    guest.expectIntercept(.movFromCR, bundle: TestMachine.code)
  }
}
