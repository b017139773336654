extension LoadPlanTests {
    /// The plan that `pinned` expects, a line an item.
    ///
    /// A change here changes what every stored seed means.
    static let pinnedLines = """
        client|0|0|0|-
        client|1|1|2000000|4096
        client|2|0|4000000|-
        churn|520676592|0
        broadcaster|0|0|0|events|256|0
        broadcaster|1|0|1|events|256|1
        send|1|0|172416256
        process|0|1|80004749|0|be160ab1-3481-401b-8b71-5671f421ab99|simulated_workflow|suspended:0:50000000|22335944,15703017|36a95ecb-fb86-425a-a9f4-ce4b9197ebcf
        process|1|1|251601016|1|30805e97-6572-4e9d-8d91-58ef66bb13e7|simulated_workflow|suspended:0:50000000|4620990,17453672|bc883ee8-f351-4201-b7bb-d1aecc54f3ec
        process|2|1|439232871|0|f3a809f8-becd-402b-b6d5-2a0463efbc25|simulated_workflow|suspended:0:50000000|10502002,15013257|3a4e0cb1-25ba-41e9-9c60-783fff522916
        process|3|1|594840007|1|44affa56-5b00-46f6-9ba8-7c3c79a4c124|simulated_workflow|suspended:0:50000000|28401058,6455591|6f513174-bc3a-408e-ac05-8a1d4a087eb2
        engine-status|88833944|0|false
        engine-status|164892945|1|false
        engine-status|625525326|0|false
        """.split(separator: "\n").map { $0.split(separator: "|").joined(separator: "\t") }
}
