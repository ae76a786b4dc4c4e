namespace TrainingData.Domains;

/// <summary>Comma-separated tables with a header line.</summary>
internal static class Tables
{
    private static readonly (string Header, Func<Random, int, string> Value)[] s_columns =
    [
        ("city", (random, _) => random.Pick(["Oslo", "Lima", "Cairo", "Quito", "Delhi", "Paris", "Accra", "Turin", "Osaka", "Perth", "Bergen", "Malmo"])),
        ("color", (random, _) => random.Pick(["red", "blue", "black", "white", "green", "grey", "yellow"])),
        ("status", (random, _) => random.Pick(["open", "closed", "pending", "shipped", "cancelled"])),
        ("quantity", (random, _) => $"{random.Next(1, 500)}"),
        ("price", (random, _) => $"{random.Next(1, 200)}.{random.Next(10, 100)}"),
        ("year", (random, _) => $"{random.Next(1950, 2026)}"),
        ("active", (random, _) => random.Chance(0.5) ? "true" : "false"),
        ("grade", (random, _) => random.Pick(["A", "B", "C", "D"])),
        ("weight_kg", (random, _) => $"{random.Next(1, 99)}.{random.Next(10)}"),
        ("date", (random, _) => $"20{random.Next(10, 26)}-{random.Next(1, 13):00}-{random.Next(1, 29):00}"),
        ("category", (random, _) => random.Pick(["tools", "toys", "garden", "office", "sports", "kitchen"])),
        ("code", (random, _) => $"{(char)('A' + random.Next(26))}{(char)('A' + random.Next(26))}-{random.Next(100, 1000)}"),
    ];

    public static string Write(Random random)
    {
        (string Header, Func<Random, int, string> Value)[] columns =
            [("id", (_, row) => $"{row}"), .. random.PickSome(s_columns, random.Next(3, 6))];
        int first = random.Next(1, 200);
        IEnumerable<string> rows = Enumerable.Range(first, random.Next(5, 13))
            .Select(row => string.Join(',', columns.Select(column => column.Value(random, row))));
        return string.Join('\n', rows.Prepend(string.Join(',', columns.Select(column => column.Header))));
    }
}
