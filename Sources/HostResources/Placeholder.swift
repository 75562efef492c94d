// HostResources
