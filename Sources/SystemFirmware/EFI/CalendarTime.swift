/// A date and time of the proleptic Gregorian calendar, as EFI_TIME has it.
struct CalendarTime: Equatable {
  var year: Int
  var month: Int
  var day: Int
  var hour: Int
  var minute: Int
  var second: Int

  private static let secondsPerDay: Int64 = 86_400
  /// Days of a 400-year cycle of the calendar.
  private static let cycleDays: Int64 = 146_097
  /// Days from the 1st of March of year 0, where the cycles below start, to 1970-01-01.
  private static let epochDay: Int64 = 719_468

  /// Days counted from a year that begins in March: the leap day is then the year's last, and months repeat in groups of five of
  /// 153 days.
  private static func day(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
    let y = Int64(month > 2 ? year : year - 1)
    let m = Int64(month > 2 ? month - 3 : month + 9)
    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + Int64(day) - 1 - epochDay
  }

  init(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
    (self.year, self.month, self.day) = (year, month, day)
    (self.hour, self.minute, self.second) = (hour, minute, second)
  }

  init(unixTime: Int64) {
    let second = ((unixTime % Self.secondsPerDay) + Self.secondsPerDay) % Self.secondsPerDay
    let days = (unixTime - second) / Self.secondsPerDay + Self.epochDay
    let cycle = days / Self.cycleDays
    let inCycle = days % Self.cycleDays
    let yearOfCycle = (inCycle - inCycle / 1460 + inCycle / 36_524 - inCycle / (Self.cycleDays - 1)) / 365
    let inYear = inCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
    let m = (5 * inYear + 2) / 153
    day = Int(inYear - (153 * m + 2) / 5 + 1)
    month = Int(m < 10 ? m + 3 : m - 9)
    year = Int(yearOfCycle + 400 * cycle) + (month <= 2 ? 1 : 0)
    hour = Int(second / 3600)
    minute = Int(second / 60 % 60)
    self.second = Int(second % 60)
  }

  var unixTime: Int64 {
    Self.day(year, month, day) * Self.secondsPerDay + Int64(hour * 3600 + minute * 60 + second)
  }

  /// EFI_TIME (EFI 1.10, GetTime).
  func encoded(nanoseconds: UInt32) -> ByteWriter {
    var w = ByteWriter()
    w.put(UInt16(truncatingIfNeeded: year))
    for field in [month, day, hour, minute, second] { w.put(UInt8(truncatingIfNeeded: field)) }
    w.put(UInt8(0))
    w.put(nanoseconds)
    w.put(Int16(0))
    w.put(UInt8(0))
    w.put(UInt8(0))
    return w
  }

  /// Time, time zone and daylight flags of an EFI_TIME; nil if a field is out of its range.
  static func decode(_ bytes: [UInt8]) -> (CalendarTime, zone: Int16, daylight: UInt8)? {
    guard bytes.count == 16 else { return nil }
    let time = CalendarTime(
      year: Int(bytes[0]) | Int(bytes[1]) << 8, month: Int(bytes[2]), day: Int(bytes[3]), hour: Int(bytes[4]),
      minute: Int(bytes[5]), second: Int(bytes[6]))
    let nanoseconds = bytes[8..<12].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let zone = Int16(bitPattern: UInt16(bytes[12]) | UInt16(bytes[13]) << 8)
    guard 1998...2099 ~= time.year, 1...12 ~= time.month, time.day >= 1, time.hour < 24, time.minute < 60, time.second < 60,
      nanoseconds < 1_000_000_000,
      zone == 0x7FF || -1440...1440 ~= zone, bytes[14] & ~3 == 0,
      // A day that the month does not have comes back as another date.
      CalendarTime(unixTime: time.unixTime) == time
    else { return nil }
    return (time, zone, bytes[14])
  }
}
