import Testing

/// A sequence by which programs divide: f10 = f6 / f7, as compilers write it. Registers f8 and up are its own; f15 holds 2^-34 where it is needed.
struct DivisionSequence: CustomTestStringConvertible {
  var name: String
  var text: String
  var width = 64
  var isSigned = false
  /// Operands are signed where the quotient is not, or the other way round: only the stepper knows what comes out.
  var isMixed = false
  var isDouble = false
  /// The dividend is f1.
  var dividesOne = false
  var testDescription: String { name }

  /// With other registers in place of f8 to f31.
  func text(numbers: [UInt8: Int]) -> String {
    var result = ""
    var rest = text[...]
    while let place = rest.firstIndex(of: "f") {
      result += rest[...place]
      rest = rest[rest.index(after: place)...]
      let digits = rest.prefix { $0.isNumber }
      guard let n = UInt8(digits), let other = numbers[n] else { continue }
      result += "\(other)"
      rest = rest.dropFirst(digits.count)
    }
    return result + rest
  }

  /// What the low 64 bits of the quotient are; nil if the operands are none of the sequence's.
  func quotient(_ a: UInt64, _ b: UInt64) -> UInt64? {
    if b == 0 || isMixed { return nil }
    if width == 32 && (a | b) >> 32 != 0 { return nil }
    if !isSigned { return a / b }
    let (quotient, overflow) = Int64(bitPattern: a).dividedReportingOverflow(by: Int64(bitPattern: b))
    return overflow ? nil : UInt64(bitPattern: quotient)
  }

  private static func prepared(_ isSigned: Bool) -> String {
    isSigned ? "fcvt.xf f6=f6\nfcvt.xf f7=f7 ;;" : "fnorm.s1 f6=f6\nfnorm.s1 f7=f7 ;;"
  }
  private static func converted(_ isSigned: Bool, _ f: Int) -> String { "fcvt.fx\(isSigned ? "" : "u").trunc.s1 f10=f\(f) ;;" }

  private static func leastLatency(_ kind: String, _ takesSigned: Bool, _ givesSigned: Bool) -> DivisionSequence {
    DivisionSequence(
      name: "\(kind), least latency",
      text: """
        \(prepared(takesSigned))
        frcpa.s1 f10,p6=f6,f7 ;;
        (p6) fnma.s1 f11=f7,f10,f1
        (p6) fmpy.s1 f12=f6,f10 ;;
        (p6) fmpy.s1 f13=f11,f11
        (p6) fma.s1 f12=f11,f12,f12 ;;
        (p6) fma.s1 f10=f11,f10,f10
        (p6) fma.s1 f11=f13,f12,f12 ;;
        (p6) fma.s1 f10=f13,f10,f10
        (p6) fnma.s1 f12=f7,f11,f6 ;;
        (p6) fma.s1 f10=f12,f10,f11 ;;
        \(converted(givesSigned, 10))
        """, isSigned: givesSigned, isMixed: takesSigned != givesSigned)
  }

  /// What no compiler writes: quotients that may be invalid.
  static let mixed = [leastLatency("unsigned of signed", true, false), leastLatency("signed of unsigned", false, true)]

  static let integers: [DivisionSequence] = [false, true].flatMap { isSigned -> [DivisionSequence] in
    let kind = isSigned ? "signed" : "unsigned"
    return [
      leastLatency(kind, isSigned, isSigned),
      DivisionSequence(
        name: "\(kind), most throughput",
        text: """
          \(prepared(isSigned))
          frcpa.s1 f8,p6=f6,f7 ;;
          (p6) fnma.s1 f9=f7,f8,f1 ;;
          (p6) fma.s1 f8=f9,f8,f8
          adds r9=1,r9
          (p6) fmpy.s1 f9=f9,f9 ;;
          (p6) adds r10=1,r9
          (p6) fma.s1 f8=f9,f8,f8 ;;
          cmp.lt p8,p9=r9,r10 ;;
          (p6) fmpy.s1 f9=f8,f6 ;;
          (p6) fnma.s1 f14=f9,f7,f6
          (p8) setf.sig f6=r9 ;;
          (p6) fma.s1 f8=f14,f8,f9 ;;
          \(converted(isSigned, 8))
          """, isSigned: isSigned),
      DivisionSequence(
        name: "\(kind), 32 bits",
        text: """
          \(prepared(isSigned))
          movl r14=0xffdd ;;
          setf.exp f15=r14 ;;
          frcpa.s1 f8,p6=f6,f7 ;;
          (p6) fmpy.s1 f9=f6,f8
          (p6) fnma.s1 f12=f7,f8,f1 ;;
          (p6) fma.s1 f9=f12,f9,f9
          (p6) fma.s1 f12=f12,f12,f15 ;;
          (p6) fma.s1 f8=f12,f9,f9 ;;
          \(converted(isSigned, 8))
          """, width: 32, isSigned: isSigned),
    ]
  }

  static let doubles: [DivisionSequence] = ["f6", "f1"].flatMap { a -> [DivisionSequence] in
    let kind = a == "f1" ? "reciprocal" : "double"
    return [
      DivisionSequence(
        name: "\(kind), most throughput",
        text: """
          frcpa.s0 f10,p6=\(a),f7 ;;
          (p6) fnma.s1 f8=f7,f10,f1 ;;
          (p6) fmpy.s1 f9=f8,f8
          (p6) fma.s1 f8=f10,f8,f10 ;;
          (p6) fmpy.s1 f11=f9,f9
          (p6) fma.s1 f8=f8,f9,f8 ;;
          (p6) fma.s1 f8=f8,f11,f8 ;;
          (p6) fmpy.d.s1 f9=\(a),f8 ;;
          (p6) fnma.s1 f12=f7,f9,\(a) ;;
          (p6) fma.d.s0 f10=f12,f8,f9 ;;
          """, isDouble: true, dividesOne: a == "f1"),
      DivisionSequence(
        name: "\(kind), least latency",
        text: """
          frcpa.s0 f10,p6=\(a),f7 ;;
          (p6) fmpy.s1 f8=\(a),f10
          (p6) fnma.s1 f9=f7,f10,f1 ;;
          (p6) fma.s1 f8=f9,f8,f8
          (p6) fmpy.s1 f11=f9,f9
          (p6) fma.s1 f10=f9,f10,f10 ;;
          adds r9=1,r9
          (p6) fma.s1 f8=f11,f8,f8
          (p6) fmpy.s1 f9=f11,f11
          (p6) fma.s1 f10=f11,f10,f10 ;;
          (p6) fma.d.s1 f8=f9,f8,f8
          (p6) fma.s1 f10=f9,f10,f10 ;;
          (p6) fnma.s1 f6=f7,f8,\(a) ;;
          (p6) fma.d.s0 f10=f6,f10,f8 ;;
          """, isDouble: true, dividesOne: a == "f1"),
    ]
  }
}
