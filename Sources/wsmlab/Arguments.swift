public import ArgumentParser
public import WSMCore

extension ManagerKind: ExpressibleByArgument {}
extension Profile: ExpressibleByArgument {}
