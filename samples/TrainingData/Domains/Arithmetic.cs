namespace TrainingData.Domains;

/// <summary>Sums, comparisons, sequences and word problems, all with true answers.</summary>
internal static class Arithmetic
{
    private static readonly string[] s_goods =
        ["apples", "pens", "cards", "coins", "books", "stamps", "marbles", "tickets"];

    public static string Write(Random random)
    {
        Func<Random, string> kind = random.Pick<Func<Random, string>>([Sum, Sum, Difference, Product, Quotient, Mixed]);
        IEnumerable<string> lines = random.Next(5) switch
        {
            0 => Lines(random, Sequence),
            1 => Lines(random, Comparison),
            2 => Lines(random, WordProblem).Take(3),
            _ => Lines(random, kind),
        };
        return string.Join('\n', lines);
    }

    private static IEnumerable<string> Lines(Random random, Func<Random, string> write) =>
        Enumerable.Range(0, random.Next(5, 14)).Select(_ => write(random));

    private static string Sum(Random random)
    {
        (int a, int b) = (random.Next(100), random.Next(100));
        return $"{a} + {b} = {a + b}";
    }

    private static string Difference(Random random)
    {
        (int a, int b) = (random.Next(100), random.Next(100));
        return $"{a + b} - {a} = {b}";
    }

    private static string Product(Random random)
    {
        (int a, int b) = (random.Next(2, 13), random.Next(2, 13));
        return $"{a} * {b} = {a * b}";
    }

    private static string Quotient(Random random)
    {
        (int a, int b) = (random.Next(2, 13), random.Next(2, 13));
        return $"{a * b} / {a} = {b}";
    }

    private static string Mixed(Random random)
    {
        (int a, int b, int c) = (random.Next(2, 10), random.Next(2, 10), random.Next(1, 20));
        return random.Chance(0.5) ? $"{a} * {b} + {c} = {(a * b) + c}" : $"({a} + {b}) * {c} = {(a + b) * c}";
    }

    private static string Sequence(Random random)
    {
        (int start, int step) = (random.Next(1, 40), random.Next(1, 13));
        return string.Join(", ", Enumerable.Range(0, random.Next(5, 9)).Select(i => start + (i * step)));
    }

    private static string Comparison(Random random)
    {
        (int a, int b) = (random.Next(1000), random.Next(1000));
        return $"{a} {(a < b ? '<' : a > b ? '>' : '=')} {b}";
    }

    private static string WordProblem(Random random)
    {
        (int a, int b, string goods) = (random.Next(2, 50), random.Next(2, 50), random.Pick(s_goods));
        return random.Chance(0.5)
            ? $"Q: There are {a} {goods} and then {b} more. How many {goods}? A: {a + b}"
            : $"Q: Of {a + b} {goods}, {b} are sold. How many {goods} are left? A: {a}";
    }
}
