using System.Text;

namespace TrainingData.Domains;

/// <summary>Recipes: a list of ingredients and numbered steps that use them.</summary>
internal static class Recipes
{
    private static readonly (string Name, string Unit)[] s_ingredients =
    [
        ("flour", "g"), ("sugar", "g"), ("butter", "g"), ("rice", "g"), ("pasta", "g"), ("cheese", "g"), ("lentils", "g"), ("mushrooms", "g"),
        ("milk", "ml"), ("cream", "ml"), ("water", "ml"), ("broth", "ml"), ("olive oil", "tbsp"), ("honey", "tbsp"), ("soy sauce", "tbsp"),
        ("salt", "tsp"), ("pepper", "tsp"), ("cinnamon", "tsp"), ("curry powder", "tsp"), ("eggs", ""), ("onions", ""), ("carrots", ""),
        ("tomatoes", ""), ("potatoes", ""), ("apples", ""), ("lemons", ""), ("garlic cloves", ""), ("bananas", ""),
    ];

    private static readonly Grammar s_grammar = new Grammar()
        .With("style", "Creamy|Spicy|Simple|Baked|Roasted|Sweet|Grandma's|Quick|Rustic|Crispy")
        .With("dish", "Soup|Stew|Cake|Casserole|Salad|Pie|Curry|Pancakes|Bread|Pudding|Gratin")
        .With("tool", "bowl|large pot|frying pan|saucepan|baking dish")
        .With("heat", "low heat|medium heat|high heat")
        .With("step",
            "Measure the {a} and set aside.",
            "Mix the {a} with the {b} in a {tool}.",
            "Heat the {a} in a {tool} over {heat}.",
            "Add the {a} and stir well for {2-15} minutes.",
            "Pour the {a} over the {b}.",
            "Simmer everything on {heat} for {10-60} minutes.",
            "Bake at {150-230} degrees for {20-60} minutes.",
            "Finish with the {a} and taste.",
            "Let it rest for {5-30} minutes before serving.",
            "Stir in the {a} little by little, then fold in the {b}.");

    public static string Write(Random random)
    {
        (string Name, string Unit)[] chosen = random.PickSome(s_ingredients, random.Next(4, 8));
        var text = new StringBuilder(s_grammar.Expand($"# {{style}} {Capitalize(chosen[0].Name)} {{dish}}\nServes {{2-8}}\n\nIngredients:\n", random));
        foreach ((string name, string unit) in chosen)
        {
            text.Append("- ").Append(Amount(unit, random)).Append(' ').Append(name).Append('\n');
        }

        text.Append("\nSteps:");
        for (int step = 1, last = random.Next(3, 7); step <= last; step++)
        {
            string[] used = [.. random.PickSome(chosen, 2).Select(ingredient => ingredient.Name)];
            var memory = new Dictionary<string, string> { ["a"] = used[0], ["b"] = used[1] };
            text.Append($"\n{step}. ").Append(s_grammar.Expand("{step}", random, memory));
        }

        return text.ToString();
    }

    private static string Amount(string unit, Random random) => unit switch
    {
        "g" or "ml" => $"{random.Next(1, 20) * 50} {unit}",
        "" => $"{random.Next(2, 9)}",
        _ => $"{random.Next(1, 5)} {unit}",
    };

    private static string Capitalize(string name) => char.ToUpperInvariant(name[0]) + name[1..];
}
