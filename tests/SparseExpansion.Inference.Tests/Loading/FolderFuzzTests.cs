using System.Buffers.Binary;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Testing;
using SparseExpansion.Testing.Fuzzing;

namespace SparseExpansion.Inference.Loading;

/// <summary>
/// Changed files of a folder: see <see cref="FuzzRun"/> for what must hold, and how to run it for longer. What loads is
/// also decoded, by both paths: kernels check nothing, so anything that passes must be safe to read.
/// </summary>
public sealed class FolderFuzzTests : IDisposable
{
    private const string Model = "llama3_scaled_rope", Experts = "experts.safetensors";

    private readonly TemporaryFolder _root = new();

    private string Folder => _root.File("model");

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Index_Changed_LoadsOrRefuses()
    {
        var mutator = new JsonMutator(
            "\"linear\"", "\"random\"", "\"single\"", "\"masked-dense\"", "\"packed-bitmask\"", "\"packed-bitmask-quantized\"",
            "\"weight\"", "\"bias\"", "\"projection\"", "\"lm_head\"", "\"model.embed_tokens\"", "64", "96", "128", "4",
            "\"expertBias\"", "\"experts\"", "\"layers\"", "\"routers\"", "\"quantized\"");
        (int tried, int accepted) = Run("expansion.json", mutator.Mutate, 300);
        Assert.InRange(accepted, 0, tried / 2);
    }

    [Theory]
    [InlineData(Model)]
    [InlineData("gpt2")]
    [InlineData("gemma3_text")]
    [InlineData("qwen3_moe")]
    public void Configuration_Changed_LoadsOrRefuses(string model)
    {
        Directory.CreateDirectory(Folder);
        foreach (string file in new[] { "config.json", "model.safetensors" })
        {
            File.Copy(Path.Combine(Fixture.Folder(model), file), Path.Combine(Folder, file));
        }

        var mutator = new JsonMutator(
            "\"llama\"", "\"qwen2\"", "\"head_dim\"", "\"num_hidden_layers\"", "64", "96", "100000", "16777216");
        Attempt($"config.json-{model}", "config.json", mutator.Mutate, 80);
    }

    [Fact]
    public void Experts_Changed_LoadsOrRefuses() => Run(Experts, new SafetensorsMutator().Mutate, 250);

    [Fact]
    public void Weights_Changed_LoadsOrRefuses() => Run("model.safetensors", new SafetensorsMutator().Mutate, 150);

    /// <summary>The header stays whole, so that the arrays themselves are what is checked.</summary>
    [Theory]
    [InlineData(".masks")]
    [InlineData(".row_order")]
    [InlineData(".panel_offsets")]
    [InlineData(".layout")]
    [InlineData(".zeros")]
    [InlineData(".scales")]
    [InlineData(".values")]
    [InlineData(".codes")]
    [InlineData("routers.0.weight")]
    public void Array_Changed_LoadsOrRefuses(string suffix) =>
        Run(Experts, (seed, random) => ChangeArray(seed, suffix, random), 100);

    private static byte[] ChangeArray(byte[] seed, string suffix, Random random)
    {
        int header = (int)BinaryPrimitives.ReadInt64LittleEndian(seed);
        SafetensorsEntry[] entries = [.. SafetensorsHeader.Parse(seed.AsSpan(8, header), 8 + header, seed.Length - 8 - header, "seed")
            .Entries.Values.Where(entry => entry.Name.EndsWith(suffix, StringComparison.Ordinal))
            .OrderBy(entry => entry.Offset)];
        SafetensorsEntry chosen = entries[random.Next(entries.Length)];
        byte[] changed = [.. seed];
        for (int change = random.Next(1, 5); change > 0; change--)
        {
            int at = (int)chosen.Offset + random.Next((int)chosen.ByteLength);
            changed[at] = random.Next(3) switch
            {
                0 => (byte)(changed[at] ^ (1 << random.Next(8))),
                1 => byte.MaxValue,
                _ => (byte)random.Next(256),
            };
        }

        return changed;
    }

    private (int Tried, int Accepted) Run(string file, Func<byte[], Random, byte[]> mutate, int cases)
    {
        ExpandedFolder.OfAllStorages(Model).Write(Model, Folder);
        return Attempt(file, file, mutate, cases);
    }

    private (int Tried, int Accepted) Attempt(string name, string file, Func<byte[], Random, byte[]> mutate, int cases)
    {
        string path = Path.Combine(Folder, file);
        return FuzzRun.Cases(name, [File.ReadAllBytes(path)], mutate, bytes =>
        {
            File.WriteAllBytes(path, bytes);
            Decode(ActivationPrecision.Int8, CodeForm.Stored);
            Decode(ActivationPrecision.Int8, CodeForm.Rearranged);
            Decode(ActivationPrecision.Float32, CodeForm.Stored);
        }, cases);
    }

    private void Decode(ActivationPrecision activations, CodeForm codes)
    {
        using InferenceModel model = InferenceModel.Load(
            Folder, new InferenceOptions { Threads = 1, Activations = activations, Codes = codes });
        using InferenceSession session = model.CreateSession();
        using InferenceSequence sequence = model.CreateSequence();
        session.Append(sequence, [0, 1, model.Config.VocabularySize - 1]);
        Assert.Equal(model.Config.VocabularySize, session.Append(sequence, [2]).Length);
    }
}
