// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "Epicure",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/attaswift/BigInt", from: "6.0.1"),
  ],
  targets: [
    .target(name: "IA64"),
    .target(name: "Arithmetic"),
    .target(name: "Processor", dependencies: ["IA64", "Arithmetic"]),
  ]
)
