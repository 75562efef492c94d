import Foundation

/// Plots as SVG, to be put into a page: dark on white, with marks and patterns that survive a printer without colours.
struct SVGPlot {
  struct Series {
    var name: String
    /// Nil: there is no such point.
    var values: [Double?]
  }
  var title: String
  var unit: String
  /// Along the horizontal axis.
  var labels: [String]
  var series: [Series]

  private static let (width, height) = (560.0, 320.0)
  private static let (left, right, top, bottom) = (62.0, 118.0, 34.0, 44.0)
  private static var plotWidth: Double { width - left - right }
  private static var plotHeight: Double { height - top - bottom }

  /// Colours that the colour-blind can tell apart (Okabe and Ito), dark enough for lines on white; each method keeps its own.
  static func colour(_ name: String) -> String {
    switch name {
    case "native", "guest": "#222222"
    case "direct": "#a0508a"
    case "ide", "e1000", "hypervisor": "#d08a00"
    case "scsi": "#c04a00"
    case "virtio", "host": "#0068a8"
    case "vscsi": "#6e6800"
    case "vbd-hvm", "vnif-hvm": "#35ab88"
    default: "#00835f"
    }
  }

  private static func escape(_ text: String) -> String { text.replacing("&", with: "&amp;").replacing("<", with: "&lt;") }

  private static func text(_ x: Double, _ y: Double, _ text: String, _ anchor: String = "middle", bold: Bool = false) -> String {
    String(format: "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"\(anchor)\"\(bold ? " class=\"t\"" : "")>", x, y) + escape(text)
      + "</text>\n"
  }

  /// A round number that is not below `value`, and how many steps the axis has up to it.
  private static func ceiling(_ value: Double) -> (top: Double, steps: Int) {
    guard value > 0 else { return (1, 4) }
    let unit = pow(10, floor(log10(value)))
    for (factor, steps) in [(1.0, 5), (1.2, 6), (1.5, 5), (2, 4), (2.5, 5), (3, 6), (4, 4), (5, 5), (6, 6), (8, 4), (10, 5)]
    where value <= factor * unit * 1.0001 { return (factor * unit, steps) }
    return (10 * unit, 5)
  }

  private static func tick(_ value: Double) -> String {
    value >= 1_000_000
      ? String(format: "%gM", value / 1_000_000)
      : value >= 10_000 ? String(format: "%gk", value / 1000) : String(format: "%g", value)
  }

  private func frame(highest: Double, _ body: (_ y: (Double) -> Double) -> String) -> String {
    let (end, steps) = Self.ceiling(highest)
    func y(_ value: Double) -> Double { Self.top + Self.plotHeight * (1 - value / end) }
    var svg =
      String(format: "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n<title>", Self.width, Self.height) + Self.escape(title)
      + "</title>\n"
    svg += Self.text(Self.left, 18, title, "start", bold: true)
    for step in 0...steps {
      let value = end * Double(step) / Double(steps)
      svg += String(
        format: "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"g\"/>\n", Self.left, Self.width - Self.right,
        y(value), y(value))
      svg += Self.text(Self.left - 6, y(value) + 4, Self.tick(value), "end")
    }
    svg += String(
      format: "<text transform=\"translate(14 %.1f) rotate(-90)\" text-anchor=\"middle\">", Self.top + Self.plotHeight / 2)
    return svg + Self.escape(unit) + "</text>\n" + body(y) + "</svg>\n"
  }

  /// `mark`: what all names have; nil: each its own.
  private func legend(_ names: [String], mark: Int? = nil) -> String {
    names.enumerated().map { index, name in
      let y = Self.top + 12 + Double(index) * 19
      let x = Self.width - Self.right + 14
      return Self.mark(mark ?? index, x + 5, y - 4, Self.colour(name)) + Self.text(x + 16, y, name, "start")
    }.joined()
  }

  private static func mark(_ index: Int, _ x: Double, _ y: Double, _ colour: String) -> String {
    let r = 4.2
    switch index % 4 {
    case 0: return String(format: "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"\(colour)\"/>\n", x, y, r)
    case 1:
      return String(
        format: "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"\(colour)\"/>\n", x - 3.8, y - 3.8, 7.6, 7.6)
    case 2:
      return String(
        format: "<path d=\"M%.1f %.1f L%.1f %.1f L%.1f %.1f Z\" fill=\"\(colour)\"/>\n", x, y - 5, x + 5, y + 4, x - 5, y + 4)
    default:
      return String(
        format: "<path d=\"M%.1f %.1f L%.1f %.1f L%.1f %.1f L%.1f %.1f Z\" fill=\"\(colour)\"/>\n", x, y - 5.4, x + 5.4, y, x,
        y + 5.4,
        x - 5.4, y)
    }
  }

  /// A line for each series.
  var lines: String {
    frame(highest: series.flatMap { $0.values.compactMap { $0 } }.max() ?? 0) { y in
      func x(_ index: Int) -> Double {
        Self.left + Self.plotWidth * (labels.count == 1 ? 0.5 : 0.04 + 0.92 * Double(index) / Double(labels.count - 1))
      }
      // As many labels as there is room for, the last one among them.
      let every = (labels.count + 7) / 8
      var svg = labels.enumerated().filter { (labels.count - 1 - $0.offset) % every == 0 }
        .map { Self.text(x($0.offset), Self.height - Self.bottom + 18, $0.element) }.joined()
      // The first one on top of all others.
      for (index, line) in series.enumerated().reversed() {
        let points = line.values.enumerated().compactMap { point in point.element.map { (x(point.offset), y($0)) } }
        let colour = Self.colour(line.name)
        let path = points.map { String(format: "%.1f,%.1f", $0.0, $0.1) }.joined(separator: " ")
        svg += "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.8\"/>\n"
        svg += points.map { Self.mark(index, $0.0, $0.1, colour) }.joined()
      }
      return svg + legend(series.map(\.name))
    }
  }

  /// A bar for each label, the series on top of each other.
  var stackedBars: String {
    let sums = labels.indices.map { index in series.reduce(0) { $0 + ($1.values[index] ?? 0) } }
    return frame(highest: sums.max() ?? 0) { y in
      let step = Self.plotWidth / Double(labels.count)
      var svg = ""
      for (index, label) in labels.enumerated() {
        var sum = 0.0
        let x = Self.left + step * (Double(index) + 0.5)
        let width = min(46, step * 0.7)
        for part in series {
          let value = part.values[index] ?? 0
          svg += String(
            format:
              "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"\(Self.colour(series.count == 1 ? label : part.name))\"/>\n",
            x - width / 2,
            y(sum + value), width, max(0, y(sum) - y(sum + value)))
          sum += value
        }
        svg += Self.text(x, y(sum) - 5, Self.tick(Double(String(format: sum < 100 ? "%.2g" : "%.4g", sum)) ?? sum))
        svg += Self.text(x, Self.height - Self.bottom + 18, label)
      }
      return series.count == 1 ? svg : svg + legend(series.map(\.name), mark: 1)
    }
  }
}
