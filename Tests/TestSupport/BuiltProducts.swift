import Foundation

/// What has been built beside the test bundle.
public enum BuiltProducts {
  /// The `epicure` executable.
  public static let epicure: URL = {
    // Bundles lie in the products' directory, whatever runs them.
    for bundle in Bundle.allBundles where bundle.bundlePath.hasSuffix(".xctest") {
      return bundle.bundleURL.deletingLastPathComponent().appendingPathComponent("epicure")
    }
    return URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("epicure")
  }()
}
