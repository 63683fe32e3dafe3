"""The help texts: six words first, everything on request."""

SHORT = (
    "*Labcoat* helps you learn before you build.\n"
    "• `/hypothesis` file one, or `/hypothesis what we change, for whom`\n"
    "• `/hypothesis list` what is open\n"
    "• `/hypothesis show H-12` one, with its buttons\n"
    "• `/experiment result H-12` what the numbers say\n"
    "• `/experiment ask H-12` ask a lead to release the investment\n"
    "• `/hypothesis help all` everything else"
)

ALL = (
    "*Hypotheses*\n"
    "• `/hypothesis` or `/hypothesis <free text>` file one\n"
    "• `/hypothesis list [mine|open|closed|stage <stage>]`\n"
    "• `/hypothesis show H-12`\n"
    "• `/hypothesis prototype H-12` begin the cheapest thing that tests it\n"
    "• `/hypothesis evidence H-12` add what users or data said\n"
    "• `/hypothesis close H-12` close it with what was learned\n"
    "*Experiments* (H-12 stands for its newest experiment)\n"
    "• `/experiment plan H-12`\n"
    "• `/experiment start E-7` and `/experiment stop E-7`; Labcoat does not switch traffic\n"
    "• `/experiment record E-7 [metric] control=1200/24000 treatment=1310/24100`\n"
    "• `/experiment result E-7`\n"
    "• `/experiment cancel E-7` a draft; `/experiment again E-7` a stopped one\n"
    "• `/experiment ask E-7`, `/experiment decide E-7`, `/experiment ship H-12`\n"
    "• `/experiment digest preview` only for you; `/experiment digest now` for the channel\n"
    "Ids work in any case, with or without the dash."
)
