/// The style sheet of every page: light and dark, screen, phone and paper.
enum ReportStyle {
    static let sheet: StaticString = """

        :root{color-scheme:light dark;--page:#fbfbf9;--card:#fff;--ink:#1c2024;--soft:#5b636b;--line:#d9dcdf;--faint:#eef0f1;\
        --good:#126b3a;--bad:#b3261e;--warn:#8a5300;--fault:#b3261e;--heat:#0b4f8a;\
        --s0:#0b5cad;--s1:#a3480c;--s2:#1b7a43;--s3:#7b3fa0;--s4:#9a6a00;--s5:#0a7a83;--s6:#b0246b;--s7:#596069}
        @media(prefers-color-scheme:dark){:root{--page:#14171a;--card:#1b1f23;--ink:#e8eaec;--soft:#a7afb7;--line:#363c42;\
        --faint:#23282d;--good:#6fd39a;--bad:#ff9a91;--warn:#f0bd62;--fault:#ff9a91;--heat:#7cc0ff;\
        --s0:#7cb8ff;--s1:#ffa76b;--s2:#76d49c;--s3:#cfa3ee;--s4:#e8c25a;--s5:#66d0d8;--s6:#ff93c4;--s7:#b5bdc5}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;\
        font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
        header,main,footer{max-width:60rem;margin:0 auto;padding:0 1.25rem}
        header{padding-top:2.25rem}
        .brand{color:var(--soft);font-size:.875rem;margin:0}
        h1{font-size:1.75rem;line-height:1.2;margin:.25rem 0 .5rem}
        h2{font-size:1.25rem;line-height:1.3;margin:0 0 .5rem}
        h3{font-size:1rem;margin:1.5rem 0 .25rem}
        .verdict{font-size:1.25rem;line-height:1.4;margin:.5rem 0}
        .word{font-weight:700;white-space:nowrap;margin-right:.6rem}
        .good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}.soft{color:var(--soft)}
        nav{margin:1rem 0 0}
        nav ul{list-style:none;display:flex;gap:.25rem 1.1rem;flex-wrap:wrap;padding:0;margin:0;font-size:.9rem}
        a{color:var(--s0)}
        section{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:1.25rem;margin:1.25rem 0}
        dl.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(10.5rem,1fr));gap:1rem 1.5rem;margin:0}
        dl.tiles dt{font-size:.85rem;color:var(--soft)}
        dl.tiles dd{margin:0;font-size:1.4rem;font-weight:600;line-height:1.25}
        dl.tiles dd span{display:block;font-size:.85rem;font-weight:400;color:var(--soft)}
        .box{overflow-x:auto;max-width:100%}:not(h2)+.box{margin-top:1.25rem}details .box{margin-top:.5rem}
        table{border-collapse:collapse;font-size:.9rem;width:100%}
        caption{text-align:left;color:var(--soft);padding-bottom:.35rem}
        th,td{padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
        thead th{font-weight:600;color:var(--soft);white-space:nowrap}
        td{white-space:nowrap}td.n,th.n{text-align:right}
        th.k,tbody th{font-weight:500;white-space:nowrap}
        td.w{min-width:16rem;white-space:normal}
        figure{margin:1rem 0 0}
        figcaption{color:var(--soft);font-size:.9rem;margin-bottom:.5rem}
        svg{display:block;width:100%;height:auto;font-size:12px}
        svg text{fill:var(--soft)}svg .strong{fill:var(--ink);font-weight:600}
        svg .grid{stroke:var(--line);stroke-width:1}svg .axis{stroke:var(--soft);stroke-width:1}
        svg .curve{fill:none;stroke-width:2;stroke-linejoin:round}
        .narrow{display:none;max-width:30rem;margin:0 auto}
        .hit{fill:transparent}.hit:hover{fill:var(--ink);fill-opacity:.08}
        .band{fill:var(--fault);fill-opacity:.12}.mark{stroke:var(--fault);stroke-width:1.5;stroke-dasharray:4 3}
        svg text.fault{fill:var(--fault);font-weight:600}
        .c0{stroke:var(--s0)}.c1{stroke:var(--s1);stroke-dasharray:7 3}.c2{stroke:var(--s2);stroke-dasharray:2 3}\
        .c3{stroke:var(--s3);stroke-dasharray:9 3 2 3}.c4{stroke:var(--s4);stroke-dasharray:5 2}\
        .c5{stroke:var(--s5);stroke-dasharray:1 2}.c6{stroke:var(--s6);stroke-dasharray:12 4}\
        .c7{stroke:var(--s7);stroke-dasharray:3 5}
        .f0{fill:var(--s0)}.f1{fill:var(--s1)}.f2{fill:var(--s2)}.f3{fill:var(--s3)}.f4{fill:var(--s4)}.f5{fill:var(--s5)}\
        .f6{fill:var(--s6)}.f7{fill:var(--s7)}
        svg text.t0{fill:var(--s0)}svg text.t1{fill:var(--s1)}svg text.t2{fill:var(--s2)}svg text.t3{fill:var(--s3)}\
        svg text.t4{fill:var(--s4)}svg text.t5{fill:var(--s5)}svg text.t6{fill:var(--s6)}svg text.t7{fill:var(--s7)}
        .h{fill:var(--heat)}.h0{fill-opacity:.12}.h1{fill-opacity:.24}.h2{fill-opacity:.38}.h3{fill-opacity:.54}\
        .h4{fill-opacity:.72}.h5{fill-opacity:1}
        .life{stroke:var(--line);stroke-width:2}.way{stroke:var(--s0);stroke-width:1.5;fill:none}\
        .lost{stroke:var(--bad);stroke-width:2;stroke-dasharray:5 4;fill:none}.dot{fill:var(--ink)}
        .limit{stroke:var(--bad);stroke-width:2}.ring{fill:none;stroke:var(--soft);stroke-width:1.5}
        svg text.bad{fill:var(--bad)}
        .legend{display:flex;flex-wrap:wrap;gap:.35rem;margin:.5rem 0}
        .legend button{display:none;font:inherit;font-size:.85rem;color:var(--ink);background:var(--faint);\
        border:1px solid var(--line);border-radius:1rem;padding:.2rem .75rem;cursor:pointer;min-height:2rem}
        .js .legend button{display:inline-block}
        .legend button[aria-pressed=false]{opacity:.75;text-decoration:line-through}
        button:focus-visible,a:focus-visible,summary:focus-visible,.box:focus-visible{outline:2px solid var(--s0);\
        outline-offset:2px}
        .off{display:none}
        details{margin-top:.75rem}summary{cursor:pointer;color:var(--soft);font-size:.9rem}
        pre{background:var(--faint);border-radius:.4rem;padding:.85rem;overflow-x:auto;font-size:.85rem;line-height:1.45;\
        margin:.5rem 0;overflow-wrap:normal}
        #tip{position:fixed;pointer-events:none;background:var(--ink);color:var(--page);padding:.35rem .6rem;\
        border-radius:.35rem;font-size:.8rem;line-height:1.4;white-space:pre-line;max-width:18rem;z-index:9}
        footer{color:var(--soft);font-size:.85rem;padding-bottom:2.5rem}
        @media(max-width:47rem){.wide{display:none}.narrow{display:block}header,main,footer{padding:0 .85rem}\
        header{padding-top:1.25rem}section{padding:1rem .85rem}h1{font-size:1.45rem}.verdict{font-size:1.1rem}\
        dl.tiles{grid-template-columns:1fr 1fr;gap:.85rem}dl.tiles dd{font-size:1.2rem}\
        nav ul{flex-wrap:nowrap;overflow-x:auto;white-space:nowrap;padding-bottom:.4rem}}
        @media print{:root{--page:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--faint:#f4f4f4;--good:#126b3a;\
        --bad:#b3261e;--warn:#8a5300;--fault:#b3261e;--heat:#0b4f8a;--s0:#0b5cad;--s1:#a3480c;--s2:#1b7a43;--s3:#7b3fa0;\
        --s4:#9a6a00;--s5:#0a7a83;--s6:#b0246b;--s7:#596069;color-scheme:light}\
        *{print-color-adjust:exact;-webkit-print-color-adjust:exact}body{font-size:10.5pt}nav,.legend,#tip{display:none}.off{display:revert}\
        section{border:0;padding:0;border-radius:0}figure,tr,h2,h3{break-inside:avoid}h2,h3{break-after:avoid}\
        .wide{display:block}.narrow{display:none}pre{white-space:pre-wrap;overflow-wrap:anywhere}.box{overflow:visible}\
        td.w{min-width:0}thead th,tbody th,th.k,td{white-space:normal}td.n{white-space:nowrap}\
        thead th{overflow-wrap:normal}table{font-size:8pt}th,td{padding-right:.4rem}}

        """
}
