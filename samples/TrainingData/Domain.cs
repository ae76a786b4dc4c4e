namespace TrainingData;

/// <summary>One kind of text.</summary>
/// <param name="name">Name in tables, and of the domain's file.</param>
/// <param name="write">Writes a document without a line break at its end.</param>
public sealed class Domain(string name, Func<Random, string> write)
{
    /// <summary>Name in tables, and of the domain's file.</summary>
    public string Name { get; } = name;

    /// <summary>Writes one document.</summary>
    public string Write(Random random) => write(random);
}
