namespace SparseExpansion.Inference;

/// <summary>Options of an <see cref="InferenceModel"/>.</summary>
public sealed record InferenceOptions
{
    /// <summary>Threads to compute with. Default null: as many as the machine has processors.</summary>
    public int? Threads { get; init; }

    /// <summary>
    /// Form of the tokens that are multiplied with weights in codes; weights in floating point are multiplied in
    /// float32. Default <see cref="ActivationPrecision.Int8"/>.
    /// </summary>
    public ActivationPrecision Activations { get; init; } = ActivationPrecision.Int8;

    /// <summary>
    /// Form in memory of weights in codes; those in floating point stay as they lie in the file. Default
    /// <see cref="CodeForm.Auto"/>.
    /// </summary>
    public CodeForm Codes { get; init; }

    /// <summary>Form of the keys and values of past tokens. Default <see cref="CacheFormat.Float32"/>.</summary>
    public CacheFormat Cache { get; init; } = CacheFormat.Float32;

    /// <summary>
    /// The most bytes that keys and values of all sequences of the model take together; memory is taken as they grow.
    /// Default null: half of the memory that the process may use and that rearranged weights leave.
    /// </summary>
    public long? CacheBytes { get; init; }

    /// <summary>
    /// Most tokens that go through the model at a time, at least 1; longer prompts go in several pieces, which bounds
    /// the memory for what is computed. Default 256.
    /// </summary>
    public int ChunkTokens { get; init; } = 256;

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range; the exception names the
    /// property.</exception>
    /// <exception cref="ArgumentException">Rearranged codes with tokens that are not rounded.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Threads ?? 1, 1, nameof(Threads));
        ArgumentOutOfRangeException.ThrowIfLessThan(CacheBytes ?? 1, 1, nameof(CacheBytes));
        ArgumentOutOfRangeException.ThrowIfLessThan(ChunkTokens, 1);
        if (!Enum.IsDefined(Activations))
        {
            throw new ArgumentOutOfRangeException(nameof(Activations), Activations, "Is not a precision of tokens.");
        }

        if (!Enum.IsDefined(Codes))
        {
            throw new ArgumentOutOfRangeException(nameof(Codes), Codes, "Is not a form of codes.");
        }

        if (Codes == CodeForm.Rearranged && Activations != ActivationPrecision.Int8)
        {
            throw new ArgumentException(
                $"{nameof(CodeForm.Rearranged)} codes are multiplied with {nameof(ActivationPrecision.Int8)} tokens; choose "
                + $"those, or {nameof(CodeForm.Stored)} codes.", nameof(Codes));
        }

        if (!Enum.IsDefined(Cache))
        {
            throw new ArgumentOutOfRangeException(nameof(Cache), Cache, "Is not a format of the cache.");
        }
    }
}
