namespace TrainingData.Domains;

/// <summary>Short stories for children.</summary>
internal static class Stories
{
    private static readonly Grammar s_grammar = new Grammar()
        .With("girl", "Lily|Mia|Anna|Rosa|Emma|Nora|Clara|Ida|Zoe|Ruth|Ella|Maya")
        .With("boy", "Tom|Ben|Max|Leo|Sam|Jack|Finn|Paul|Noah|Oscar|Hugo|Adam")
        .With("animal", "dog|cat|rabbit|fox|bear|mouse|duck|frog|horse|owl|goat|turtle|squirrel|hedgehog")
        .With("thing", "ball|kite|boat|drum|book|lamp|box|key|hat|bell|basket|bottle|shell|stone|ribbon|mirror|coin|map")
        .With("adjective", "red|small|old|shiny|blue|strange|soft|heavy|golden|broken|warm|round|green|wooden|tiny|bright")
        .With("mood", "happy|sad|tired|proud|brave|scared|hungry|curious|lonely|excited|angry|calm")
        .With("place", "in the park|near the river|behind the house|under a big tree|on the hill|at the beach|in the deep forest|by the old bridge|in the garden|at the market")
        .With("weather", "sunny|rainy|windy|cold|cloudy|warm|quiet|snowy")
        .With("time", "morning|afternoon|day|evening")
        .With("move", "ran|walked|jumped|hurried|climbed|crept|skipped")
        .With("relative", "mother|father|grandmother|brother|sister|uncle|aunt|teacher|neighbor")
        .With("virtue", "share|be kind|ask for help|be patient|tell the truth|never give up|listen to others|say thank you")
        .With("opening",
            "Once upon a time there was a little {child} named {hero}. {He} had a {adjective} {thing:toy}.",
            "One {weather} {time}, {hero} went out to play {place:where}. {He} was very {mood}.",
            "{hero} lived in a {adjective} house with {his} {relative:kin}. Every {time}, {he} played {place:where}.",
            "There was a {adjective} {animal:pet} who lived {place:where}. Its best friend was a {child} called {hero}.")
        .With("event",
            "{He} found a {adjective} {thing:find} {place}. \"What is this?\" {he} said.",
            "Suddenly {he} saw a {mood} {animal:other}. The {other} wanted to play with a {thing}.",
            "{hero} {move} to the {animal:helper} and asked for help. The {helper} was {mood}.",
            "A {adjective} {animal:thief} took the {thing:lost} and {move} away. {hero} was {mood}.",
            "Then it became {weather} and {hero} felt {mood}. {He} looked for a {thing} to hold.",
            "{His} {relative:kin} gave {him} a {adjective} {thing}. {hero} smiled and said, \"Thank you!\"",
            "They {move} {place} until the {time} was over. It was so much fun.",
            "{He} put the {thing:hidden} into a {adjective} box and hid it {place}.",
            "\"Can I have the {thing:wish}?\" asked {hero}. \"Yes, but you must {virtue},\" said the {animal}.",
            "The {animal:lost} could not find its way home, so {hero} {move} with it {place}.")
        .With("ending",
            "In the end, {hero} was {mood} and went home to sleep.",
            "{hero} learned that it is good to {virtue}. The end.",
            "From that day on, {hero} and the {animal} were best friends.",
            "{His} {relative} hugged {him} and said, \"You are so {mood}, {hero}.\"",
            "They all laughed and ate cake together.");

    public static string Write(Random random)
    {
        bool girl = random.Chance(0.5);
        var memory = new Dictionary<string, string>
        {
            ["hero"] = s_grammar.Expand(girl ? "{girl}" : "{boy}", random),
            ["child"] = girl ? "girl" : "boy",
            ["he"] = girl ? "she" : "he",
            ["He"] = girl ? "She" : "He",
            ["his"] = girl ? "her" : "his",
            ["His"] = girl ? "Her" : "His",
            ["him"] = girl ? "her" : "him",
        };
        var sentences = new List<string> { s_grammar.Expand("{opening}", random, memory) };
        for (int events = random.Next(2, 6); events > 0; events--)
        {
            sentences.Add(s_grammar.Expand("{event}", random, memory));
        }

        sentences.Add(s_grammar.Expand("{ending}", random, memory));
        return string.Join(' ', sentences);
    }
}
