package import WSMHarness
internal import WSMRecord
internal import WSMVerify

extension HTMLReport {
    /// The page of a comparison.
    ///
    /// - Parameter records: Of one run of each variant, for the curves; variants without one have none.
    package static func text(_ result: CompareResult, records: [String: RunRecords] = [:]) -> String {
        let (word, style) = CompareWords.word(result)
        let rounds = result.rounds.map { $0 == 1 ? "1 round" : "\($0) rounds" } ?? "stored runs"
        return HTMLPage(
            title: result.name, word: word, style: style, sentence: CompareWords.answer(result),
            subtitle: "\(result.variants.count) variants, \(rounds)", startedAt: result.startedAt,
            environment: result.environment,
            parts: [
                .init(id: "warnings", title: "Before you believe it", nodes: HTMLPage.list(result.warnings)),
                .init(id: "figures", title: "Figures", nodes: figures(result)),
                .init(id: "latency", title: "Latency", nodes: curves(result, records)),
                .init(id: "guarantees", title: "Guarantees", nodes: guarantees(result)),
                .init(id: "runs", title: "The runs", nodes: runs(result)),
            ]
        ).text
    }

    private static func figures(_ result: CompareResult) -> [HTMLNode] {
        var table = ReportTable(
            caption:
                "Medians over the rounds; ratios are to \(result.variants.first?.name ?? "the first"), with their 95 % "
                + "interval",
            columns: [.text("figure")] + result.variants.map { .number($0.name) }
                + result.variants.dropFirst().flatMap { [.number("\($0.name): ratio"), .text("verdict")] }, rows: [])
        for metric in result.metrics {
            var row = [CompareWords.name(metric.path)]
            row += result.variants.map { variant in
                CompareWords.value(metric.medians[variant.name], metric.path)
            }
            for variant in result.variants.dropFirst() {
                let ratio = metric.ratios.first { $0.b == variant.name }
                let interval = ratio.flatMap { ratio in
                    ratio.low.flatMap { low in
                        ratio.high.map { " (\(Figures.threeDigits(low)) … \(Figures.threeDigits($0)))" }
                    }
                }
                row.append(ratio?.ratio.map { Figures.threeDigits($0) + (interval ?? "") } ?? "–")
                row.append(ratio.map { sign($0.verdict) } ?? "–")
            }
            table.rows.append(row)
        }
        return [forest(result).figure(id: "forest"), table.node].compactMap { $0 }
    }

    private static func forest(_ result: CompareResult) -> ForestPlot {
        let isPair = result.variants.count == 2
        let rows = result.metrics.flatMap { metric in
            metric.ratios.compactMap { ratio -> ForestPlot.Row? in
                guard let value = ratio.ratio else { return nil }
                let name = CompareWords.name(metric.path)
                return ForestPlot.Row(
                    name: isPair ? name : "\(name), \(ratio.b)", value: value, low: ratio.low, high: ratio.high,
                    word: ratio.verdict.rawValue)
            }
        }
        return ForestPlot(
            title: "Ratios to the first variant",
            description:
                "Each dot is the ratio of the medians, each line its 95 % interval; at 1 there is no difference.",
            rows: rows, least: 0.5...2)
    }

    private static func sign(_ verdict: CompareResult.Verdict) -> String {
        switch verdict {
        case .better: "✓ better"
        case .worse: "✕ worse"
        case .noDifference: "= no difference"
        case .inconclusive: "? inconclusive"
        }
    }

    private static func curves(_ result: CompareResult, _ records: [String: RunRecords]) -> [HTMLNode] {
        let curves = result.variants.compactMap { variant in
            records[variant.name]?.histograms["response"].map {
                PercentileChart.Curve(name: variant.name, histogram: $0)
            }
        }
        return [
            PercentileChart(curves).figure(
                id: "percentiles",
                description: "Response time of each variant, all its rounds that could be read.")
        ].compactMap { $0 }
    }

    private static func guarantees(_ result: CompareResult) -> [HTMLNode] {
        guard !result.guarantees.isEmpty else { return [] }
        return [
            ReportTable(
                caption: "The worst of the rounds; * promised",
                columns: [.text("guarantee")] + result.variants.map { .text($0.name) },
                rows: result.guarantees.map { guarantee in
                    [guarantee.id]
                        + result.variants.map { variant in
                            guard let finding = guarantee.findings[variant.name] else { return "–" }
                            let word =
                                switch finding.verdict {
                                case .holds: "✓ holds"
                                case .violated: "✕ violated (\(Figures.grouped(finding.violations)))"
                                case .unknown: "? unknown"
                                }
                            return word + (finding.promised ? " *" : "")
                        }
                }
            ).node
        ]
    }

    private static func runs(_ result: CompareResult) -> [HTMLNode] {
        let rows = result.variants.flatMap { variant in
            zip(variant.results, variant.folders).map { run, folder in
                [
                    variant.name, folder, run.verdict.rawValue, Figures.grouped(run.delivery.lost),
                    Figures.time(run.latency.p50), Figures.time(run.latency.p99),
                ]
            }
        }
        return [
            ReportTable(
                caption: "Each has a report.html of its own in its folder",
                columns: [
                    .text("variant"), .text("folder"), .text("verdict"), .number("lost"), .number("p50"),
                    .number("p99"),
                ], rows: Array(rows.prefix(200))
            ).node
        ]
    }
}
