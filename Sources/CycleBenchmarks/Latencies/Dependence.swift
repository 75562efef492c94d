/// How latencies are measured: the stall of a consumer.
///
/// A pass is: idle groups, a group with the producer, a group with the consumer. In the reference program the consumer reads another
/// register of the same kind, which has been ready for long. The difference of the two is what the consumer waits, and one cycle more
/// is the latency from issue to issue, since the consumer's group follows a cycle later anyway. The idle groups let everything end that
/// is still under way, so that neither program waits for the pass before. A latency of zero looks like one: what can be used in the same
/// group has a method of its own.
struct Dependence {
  /// Instructions, `%x` where the register in question stands. The producer may be several lines.
  var producer: String
  var consumer: String
  /// The producer's register, and another of its kind.
  var x = "r14"
  var y = "r15"
  /// Groups that do nothing between the two, which hide as much of the latency.
  var distance = 0
  /// Idle groups of a pass.
  var idle = 16
  var setup = ""
  var translation = Code.Translation.physical

  private func body(_ register: String) -> String {
    Text.idle(idle) + Text.alone(producer.replacing("%x", with: x)) + Text.idle(distance)
      + Text.alone(consumer.replacing("%x", with: register))
  }

  var method: Method {
    let measured = Code.loop(body(x), setup: setup).with(\.translation, translation)
    let reference = Code.loop(body(y), setup: setup).with(\.translation, translation)
    return Method(measured, minus: reference, offset: 1 + distance)
  }

  func benchmark(_ name: String, _ published: Published?, remark: String? = nil, reason: String? = nil) -> Benchmark {
    Benchmark(name, unit: "cycles", method, published, remark: remark, reason: reason)
  }
}

extension Dependence {
  /// Consumers that wait no longer than the producer's class says.
  enum Consumer {
    static let integer = "add r16=%x,r21"
    static let multimedia = "padd2 r16=%x,r21"
    static let float = "fma.d f16=%x,f21,f21"
    static let predicate = "(%x) add r16=r21,r21"
  }

  static func integer(_ producer: String) -> Dependence { Dependence(producer: producer, consumer: Consumer.integer) }
  static func multimedia(_ producer: String) -> Dependence { Dependence(producer: producer, consumer: Consumer.multimedia) }
  static func float(_ producer: String) -> Dependence {
    Dependence(producer: producer, consumer: Consumer.float, x: "f14", y: "f15")
  }
  static func predicate(_ producer: String) -> Dependence {
    Dependence(producer: producer, consumer: Consumer.predicate, x: "p14", y: "p12")
  }
}
