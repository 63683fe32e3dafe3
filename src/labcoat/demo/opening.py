"""What the team did before a visitor comes: sixteen days of hypotheses, prototypes, experiments and two digests."""

from labcoat.demo.people import ANA, BEN, CHANNEL, GENERAL, GIA, LENA, NAMES, OMAR
from labcoat.demo.stage import OPENING_DAYS
from labcoat.demo.story import Story

BUILT_ALREADY = "Built by the vendor already; only the switch is missing"
PLAN = {
    "goal": "orders per user",
    "baseline": "24 %",
    "variants": "control 50, treatment 50",
    "minimum_effect": "10 %",
    "planned_days": "28",
    "design": "group sequential",
    "guardrails": "refund rate down, margin 1 point, today 4 %",
}


def play(story: Story) -> None:
    """Play the opening; raise StoryError at the first step that did not really happen."""
    _ana_tests_fresh_offers(story)
    _ben_asks_five_users(story)
    _ana_closes_after_a_prototype(story)
    _ben_evaluates_offline(story)
    _omar_gets_an_approval(story)
    _the_backlog_grows(story)
    _ben_waits_for_lena(story)
    story.moves_to(OPENING_DAYS, 10, 40)
    for user in (ANA, BEN, LENA, OMAR, GIA):
        story.person(user).mark_read(CHANNEL)


def _ana_tests_fresh_offers(story: Story) -> None:
    story.act("Ana files a hypothesis")
    fresh = story.files(
        "fresh",
        ANA,
        "Show fresh offers first to people who come back within a day",
        metric="orders per user",
        because="4 of 5 people we watched scrolled past offers they had seen the day before",
        smallest_effect="10 %",
        tags="search, freshness",
    )
    story.expect_channel(f"{fresh} · Hypothesize")
    story.act("Ana begins the cheapest prototype: a SQL query")
    story.presses(ANA, story.card(fresh), "prototype")
    story.submits(
        ANA,
        summary="A SQL query re-ranks 50 result pages by age; five users compare them with today's.",
        cap="2",
        stop_when="Fewer than 3 of 5 prefer the new order",
        build_guess="30",
    )
    story.expect_channel(f"{fresh} · Prototype")
    story.act("Ben adds evidence from users")
    story.presses(BEN, story.card(fresh), "evidence")
    story.submits(
        BEN,
        kind="usability test",
        count="5",
        summary="4 of 5 preferred the fresh order and found an offer faster",
        spent="1",
    )
    story.expect_thread(fresh, "4 of 5 preferred the fresh order")
    story.act("Ana plans an experiment; a smallest effect of “lots” is not one")
    story.presses(ANA, story.card(fresh), "plan")
    refused = story.fills_in(ANA, **PLAN | {"minimum_effect": "lots"}).errors
    story.require("minimum_effect" in refused, "“lots” was taken as an effect")
    story.tell("Under the field: " + refused.get("minimum_effect", ""))
    story.submits(ANA, **PLAN)
    experiment = story.names("fresh test", "E")
    story.expect_channel(f"{experiment} draft")
    story.act("Ana starts it; Labcoat does not switch traffic")
    story.presses(ANA, story.card(fresh), "start")
    story.submits(ANA)
    story.expect_channel(f"{experiment} running")


def _runs(story: Story, name: str, owner: str, change: str, *, because: str, guardrails: str = "") -> None:
    story.act(f"{NAMES[owner]} runs an experiment too")
    hypothesis = story.files(name, owner, change, metric="orders per user", because=because)
    plan = PLAN | {"planned_days": "42", "guardrails": guardrails, "evidence_reason": BUILT_ALREADY}
    experiment = story.plans(f"{name} test", owner, hypothesis, **plan)
    story.types(owner, f"/experiment start {experiment}")
    story.submits(owner)


def _ben_asks_five_users(story: Story) -> None:
    story.moves_to(1, 11)
    story.act("Ben's prototype is only a SQL query; five users comment on it")
    story.says(ANA, "Morning all! Fresh offers are live for half of our users.")
    _runs(story, "photos", BEN, "Show bigger photos in the results", because="People zoom in before they click")
    suggest = story.files(
        "suggest",
        BEN,
        "Suggest the category while people type, for searches of one word",
        metric="empty searches",
        direction="down",
        because="One in five searches of a single word ends without a click",
        refuted_by="People ignore the suggestion",
        tags="search, suggestions",
    )
    _prototypes(story, suggest, BEN, "A SQL query finds the likeliest category of the 200 commonest words", cap="2")
    story.moves_to(2, 15)
    _runs(
        story,
        "one click",
        OMAR,
        "Buy with one click from the results",
        because="A third of all baskets is left at the address form",
        guardrails="refund rate down",
    )
    _adds(story, suggest, BEN, kind="usability test", count="5", summary="3 of 5 took the suggestion; 2 never saw it")
    for comment in (
        "“I typed bike and it knew I wanted a city bike. Nice.” (Mara)",
        "“Is that an ad?” (Tom)",
        "“Saves me the filter.” (Yusuf)",
        "“I looked at my keyboard, not at the list.” (Eva)",
        "“Why does it say garden? I mean the car brand.” (Jo)",
    ):
        story.says(BEN, comment, below=suggest)


def _ana_closes_after_a_prototype(story: Story) -> None:
    story.moves_to(3, 10, 30)
    _runs(
        story,
        "similar",
        BEN,
        "Order similar items by price, for people who compare",
        because="Two of three who open similar items look at the price first",
    )
    story.act("Ana refutes a hypothesis for the price of a day")
    titles = story.files(
        "titles",
        ANA,
        "Translate titles of offers, for people who search in another language",
        metric="orders per user",
        because="Every tenth search is in another language than the offers near it",
        tags="search, language",
    )
    _prototypes(
        story, titles, ANA, "Thirty pages translated by hand, shown to five people in the language café", cap="3"
    )
    story.moves_to(6, 14)  # the first digest comes on the way
    _adds(story, titles, ANA, kind="interview", count="5", summary="They read the original and distrusted our titles")
    story.types(ANA, f"/hypothesis close {titles}")
    story.submits(
        ANA,
        outcome="refuted",
        learning="People trust the seller's own words more than ours; translate the filters instead",
        days_spent="1",
    )
    story.says(OMAR, "That was cheap to find out. Thanks, Ana!", below=titles)


def _ben_evaluates_offline(story: Story) -> None:
    story.moves_to(7, 9, 45)
    story.act("Ben evaluates a candidate offline, which is evidence for a plan and never a verdict")
    photos = story.files(
        "embeddings",
        BEN,
        "Rank by what a photo shows, for searches that name a colour",
        metric="orders per user",
        because="Sellers name the colour in only half of all titles",
        tags="ranking, photos",
    )
    _prototypes(story, photos, BEN, "Embeddings of 50,000 photos, and last month's clicks replayed", cap="4")
    story.moves_to(8, 16)
    story.types(BEN, f"/hypothesis evidence {photos}")
    story.person(BEN).click_in_view(action_id="live:kind", option="offline evaluation")
    story.submits(
        BEN,
        kind="offline evaluation",
        count="2000000",
        summary="Better for colours, no worse for the rest",
        offline_metric="NDCG@10",
        baseline="0.412",
        candidate="0.431",
        data_set="Clicks of last month, 2 million searches",
        split="Last week held out",
        tuned="no",
        spent="3",
    )


def _omar_gets_an_approval(story: Story) -> None:
    story.act("Omar may build without an experiment; Lena says why")
    twins = story.files(
        "twins",
        OMAR,
        "Tell sellers about their duplicate offers while they write",
        metric="empty searches",
        direction="down",
        because="Support answers forty letters a week about offers shown twice",
        tags="trust",
    )
    _prototypes(story, twins, OMAR, "Support calls ten sellers with a list from a SQL query", cap="2")
    _adds(story, twins, OMAR, kind="interview", count="10", summary="9 of 10 deleted the duplicate and thanked us")
    story.types(OMAR, f"/experiment ask {twins}")
    story.submits(
        OMAR,
        conclusion="supported",
        learning="Sellers do not know about their duplicates; told kindly, they delete them",
        amount="8",
        no_experiment="too little traffic",
        lead=LENA,
    )
    story.moves_to(9, 11)
    story.presses(LENA, story.request_for(LENA, twins), "approve")
    story.submits(LENA, reason="Small, safe, and the sellers asked for it")


def _the_backlog_grows(story: Story) -> None:
    story.act("New hypotheses come")
    story.files(
        "phones",
        ANA,
        "Shorten the titles of offers, for people on phones",
        metric="orders per user",
        because="Titles are cut in the middle of a word",
        tags="mobile",
    )
    story.moves_to(10, 15)
    story.says(GIA, "At the counter they ask all day: where can I pick it up, and is that far?")
    story.files(
        "pick up",
        OMAR,
        "Show how far away an offer can be picked up, for people without a car",
        metric="orders per user",
        because="“Where is it?” is the commonest first question to sellers",
        tags="search, trust",
    )
    story.says(LENA, "Who has looked at the photos experiment? Its split looks odd to me.")
    story.says(BEN, "Me. Old phones never load the big photos, so they are not counted. I'll stop it.")
    story.says(OMAR, "Lunch on Thursday: the new place by the canal?", channel=GENERAL)


def _ben_waits_for_lena(story: Story) -> None:
    story.moves_to(14, 10, 15)  # the second digest came on the way
    story.act("Ben asks Lena to release an investment")
    last = story.files(
        "last one",
        BEN,
        "Say so when an offer is the last of its kind nearby",
        metric="orders per user",
        because="People who came too late wrote that they had thought there were more",
        tags="search, trust",
    )
    _prototypes(story, last, BEN, "A badge drawn by hand on 40 offers of six sellers, for a week", cap="3")
    story.moves_to(15, 16)
    _adds(
        story, last, BEN, kind="live use", count="212", summary="21 of 212 who saw the badge bought, 9 of 198 without"
    )
    story.types(BEN, f"/experiment ask {last}")
    story.submits(
        BEN,
        conclusion="supported",
        learning="People buy what is rare, if the badge tells the truth; sellers asked for it too",
        amount="12",
        no_experiment="dearer than the build",
        lead=LENA,
    )


def _prototypes(story: Story, hypothesis: str, owner: str, summary: str, *, cap: str) -> None:
    story.types(owner, f"/hypothesis prototype {hypothesis}")
    story.submits(owner, summary=summary, cap=cap, stop_when="Nobody cares", build_guess="20")


def _adds(story: Story, hypothesis: str, by: str, **evidence: str) -> None:
    story.types(by, f"/hypothesis evidence {hypothesis}")
    story.submits(by, spent="1", **evidence)
