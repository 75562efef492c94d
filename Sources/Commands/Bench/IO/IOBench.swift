import Pipeline
import Platform

/// All runs of `epicure bench io`, one after another.
struct IOBench {
  let plan: IOPlan
  let description: MachineDescription
  /// By the pipeline; otherwise functional.
  let isTimed: Bool
  let includes: (IOMethod) -> Bool
  let wants: (IOJob) -> Bool
  let progress: (String) -> Void

  /// Characters of a command line that every way of starting has room for.
  private static let commandLine = 900

  private func cycles(_ count: Int) -> UInt64 { UInt64(max(0, count)) }

  private func prepare() throws -> IORun {
    if isTimed { description.setClock() }
    let costs = description.virtualization
    return IORun(
      timing: isTimed ? description : nil,
      costs: HostProcessor.Costs(
        request: cycles(costs.hostRequest), page: cycles(costs.hostPage), notification: cycles(costs.hostNotification)),
      folder: try IOFolder())
  }

  /// Each method, and how many comparisons its guest has made. Throws if one of them was wrong.
  func check() throws -> [(IOMethod, Int)] {
    let run = try prepare()
    return try IOMethod.all.filter(includes).map { method in
      progress("\(method.device.rawValue), \(method.name)")
      return (method, try run.check(method))
    }
  }

  func run() throws -> IOReport {
    let run = try prepare()
    let frameCost = cycles(description.virtualization.hostFrame)
    var report = IOReport(
      timing: isTimed ? description.name : "functional",
      hostCosts: [
        "request": run.costs.request, "page": run.costs.page, "notification": run.costs.notification,
        "frame": frameCost,
      ])
    for (methods, jobs) in [(IOMethod.block, plan.block.filter(wants)), (IOMethod.network, plan.network.filter(wants))]
    where !jobs.isEmpty {
      for method in methods where includes(method) {
        for (number, part) in Self.parts(jobs, for: method).enumerated() {
          progress("\(method.device.rawValue), \(method.name), jobs \(number * part.count + 1) and on of \(jobs.count)")
          let measurements = try run.measure(method, part)[0]
          for (job, measurement) in zip(part, measurements) {
            report.add(method, job, measurement, frameCost: frameCost)
          }
        }
      }
    }
    if wants(plan.shared) {
      for method in IOMethod.block where includes(method) && method.usesHost {
        for count in plan.domains {
          progress("domains on one disk: \(count), \(method.name)")
          report.add(sharing: method, plan.shared, try run.measure(method, [plan.shared], domains: count).map { $0[0] })
        }
      }
    }
    report.conclude()
    return report
  }

  /// As many jobs as a command line has room for go into one boot.
  private static func parts(_ jobs: [IOJob], for method: IOMethod) -> [[IOJob]] {
    var parts: [[IOJob]] = []
    var room = 0
    for job in jobs {
      let length = job.command(for: method.driver).utf8.count + 1
      if length > room {
        parts.append([])
        room = commandLine
      }
      parts[parts.count - 1].append(job)
      room -= length
    }
    return parts
  }
}
