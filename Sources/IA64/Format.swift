/// Instruction formats of Volume 3, chapter 4 (Table 4-6), and those of later processors (M50 and up).
public enum Format: UInt8, CaseIterable, Sendable {
  case a1, a2, a3, a4, a5, a6, a7, a8, a9, a10
  case i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13, i14, i15, i16, i17, i18, i19, i20, i21, i22, i23
  case i24, i25, i26, i27, i28, i29, i30
  case m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23
  case m24, m25, m26, m27, m28, m29, m30, m31, m32, m33, m34, m35, m36, m37, m38, m39, m40, m41, m42, m43, m44
  case m45, m46, m47, m48, m50, m51, m52
  case b1, b2, b3, b4, b5, b6, b7, b8, b9
  case f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16
  case x1, x2, x3, x4, x5

  /// The group, which is also the first letter of the name.
  public var type: InstructionType {
    switch rawValue {
    case ...Format.a10.rawValue: return .a
    case ...Format.i30.rawValue: return .i
    case ...Format.m52.rawValue: return .m
    case ...Format.b9.rawValue: return .b
    case ...Format.f16.rawValue: return .f
    default: return .x
    }
  }
}

/// Instruction types (Volume 1, Table 3-9).
public enum InstructionType: UInt8, CaseIterable, Sendable {
  /// Integer ALU, in I and M slots.
  case a
  case i, m, b, f, x

  /// Slot units that execute the type.
  public var units: [SlotUnit] {
    switch self {
    case .a: return [.m, .i]
    case .i: return [.i]
    case .m: return [.m]
    case .b: return [.b]
    case .f: return [.f]
    case .x: return [.x]
    }
  }
}
