namespace TrainingData.Domains;

/// <summary>Conversations between two people.</summary>
internal static class Dialogues
{
    private static readonly Grammar s_grammar = new Grammar()
        .With("item", "umbrella|phone|ticket|jacket|notebook|camera|bicycle|suitcase|guitar|laptop|charger|passport")
        .With("food", "soup|pizza|salad|coffee|sandwich|noodles|pancakes|curry|tea|toast")
        .With("spot", "station|library|office|museum|airport|harbor|school|bakery|cinema|hospital|stadium|theater")
        .With("day", "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday")
        .With("hour", "at {1-12} o'clock|around noon|after work|before dinner|at half past {1-12}|in the evening|at midnight")
        .With("feeling", "great|terrible|fine|surprised|nervous|relieved|busy|bored")
        .With("taste", "delicious|cheap|fresh|famous here|a bit spicy|very filling")
        .With("price", "{2-90} dollars|{2-90} euros")
        .With("pair",
            "Hello! How are you today?#I'm {feeling}, thanks. And you?",
            "Excuse me, how do I get to the {spot:goal}?#Take bus number {1-60} and get off at the {spot}.",
            "Do you know when the {spot:goal} opens?#I think it opens {hour} on {day}.",
            "Have you seen my {item:item}?#Yes, you left it at the {spot}.",
            "Would you like some {food:meal}?#No, thank you. I already had {food}.",
            "How much is this {item:item}?#It costs {price}.",
            "Could you help me with my {item:item}?#Sure, but I only have time {hour}.",
            "Why are you so {feeling:mood}?#Because I lost my {item} on {day}.",
            "Shall we meet at the {spot:goal}?#Good idea. Let's meet there {hour}.",
            "What did you do on {day:day}?#I went to the {spot} and bought {food}.",
            "Did you really pay {price} for that {item:item}?#Yes, and I feel {feeling} about it.",
            "I can't find the {spot:goal}. Is it far?#Not at all, it's next to the {spot}.",
            "Are you coming to the {spot:goal} on {day}?#Maybe. I have to return the {item} first.",
            "What would you recommend here?#You should try the {food}. It's {taste}!");

    private static readonly string[] s_speakers =
        ["Alice", "Bob", "Carol", "David", "Erin", "Frank", "Grace", "Henry", "Irene", "Jonas", "Karl", "Laura"];

    public static string Write(Random random)
    {
        string[] speakers = random.PickSome(s_speakers, 2);
        var lines = new List<string>();
        for (int pairs = random.Next(2, 6); pairs > 0; pairs--)
        {
            string[] pair = s_grammar.Expand("{pair}", random).Split('#');
            lines.Add($"{speakers[0]}: {pair[0]}");
            lines.Add($"{speakers[1]}: {pair[1]}");
        }

        lines.Add(random.Pick([$"{speakers[0]}: Thanks, see you later!", $"{speakers[1]}: Goodbye, {speakers[0]}.", $"{speakers[0]}: All right, take care."]));
        return string.Join('\n', lines);
    }
}
