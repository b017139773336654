public import ArgumentParser
public import WSMCore
import WSMScenario

extension ManagerKind: ExpressibleByArgument {}
extension Profile: ExpressibleByArgument {}
extension ScenarioTemplate: ExpressibleByArgument {}
