/// What the live page has beside the style of every page.
enum LivePageStyle {
    static let sheet: StaticString = """
        [hidden]{display:none!important}
        progress{display:block;width:100%;height:.7rem;accent-color:var(--s0)}
        #clock{margin:.35rem 0 0;min-height:1.5em}
        #word::first-letter{text-transform:uppercase}
        @media(min-width:47rem){dl.tiles{grid-template-columns:repeat(5,1fr)}}
        dl.tiles b{font-weight:600}
        dl.tiles dd span{min-height:1.25em}
        .stages,.chips,.remarks{list-style:none;margin:.25rem 0 0;padding:0}
        .stages{display:grid;grid-template-columns:repeat(auto-fill,minmax(6.25rem,1fr));gap:.75rem 1.5rem}
        .stages span{display:block;font-size:.85rem;color:var(--soft)}.stages b{font-size:1.1rem;font-weight:600}
        .chips{display:flex;flex-wrap:wrap;gap:.4rem}
        .chips li{background:var(--faint);border:1px solid var(--line);border-radius:1rem;padding:.1rem .7rem;font-size:.9rem}
        .chips li.bad,.chips li.warn{border-color:currentColor;font-weight:600}
        .remarks li{padding:.2rem 0}.remarks+p,.remarks~p{margin:.35rem 0 0;font-size:.9rem}
        #signs{margin-top:1rem}
        svg{min-height:150px}
        @media(prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important}}

        """
}
