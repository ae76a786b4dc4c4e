using System.Diagnostics;
using System.Globalization;
using SparseExpansion.Inference.Loading;
using SparseExpansion.Models;
using SparseExpansion.Testing;
using SparseExpansion.Testing.NativeLifetime;

namespace SparseExpansion.Inference;

/// <summary>One model, used by eight threads at once; <c>tests/stress/run.sh</c> makes it last.</summary>
public sealed class ConcurrencyStressTests : IDisposable
{
    private const string Model = "llama3_scaled_rope";
    private const int Threads = 8, NewTokens = 10, Forms = 3;

    /// <summary>What threads and the runtime take at first, and what other tests of this process take meanwhile.</summary>
    private const long SlackBytes = 64L << 20;

    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(10);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(ActivationPrecision.Int8, CodeForm.Rearranged, CacheFormat.Float32, 1)]
    [InlineData(ActivationPrecision.Int8, CodeForm.Stored, CacheFormat.BFloat16, 1)]
    [InlineData(ActivationPrecision.Float32, CodeForm.Stored, CacheFormat.Int8, 2)]
    public void Model_UsedByEightThreads_GivesEachWhatItGetsAloneAndTakesNoMoreMemory(
        ActivationPrecision activations, CodeForm codes, CacheFormat cache, int threads)
    {
        ExpandedFolder.OfAllStorages(Model).Write(Model, _folder.File("expanded"));
        using InferenceModel model = InferenceModel.Load(
            _folder.File("expanded"), new InferenceOptions { Activations = activations, Codes = codes, Cache = cache, Threads = threads });
        string[] alone = [.. Enumerable.Range(0, Threads).Select(number => Use(model, number))];
        Assert.Equal(Threads, alone.Distinct().Count());
        TimeSpan duration = GarbagePressure.Duration / Forms;
        var clock = Stopwatch.StartNew();
        int[] rounds = new int[Threads];
        string?[] differences = new string?[Threads];
        Thread[] users = [.. Enumerable.Range(0, Threads).Select(number => new Thread(() =>
        {
            while (clock.Elapsed < duration && Array.TrueForAll(differences, difference => difference is null))
            {
                differences[number] = Difference(model, number, alone[number]);
                rounds[number]++;
            }
        }))];
        Array.ForEach(users, user => user.Start());
        long early = WhenWarm(clock, duration);
        Array.ForEach(users, user => user.Join());
        long late = Environment.WorkingSet;

        if (duration > s_warmUp)
        {
            TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{rounds.Sum()} rounds; {early / 1048576.0:0.0} MiB resident after {s_warmUp.TotalSeconds} s, {late / 1048576.0:0.0} MiB after {clock.Elapsed.TotalSeconds:0} s"));
        }

        Assert.All(differences, Assert.Null);
        Assert.All(rounds, count => Assert.True(count > 0));
        Assert.InRange(late, 0, early + SlackBytes);
        Assert.Equal(0, model.Pages.InUse);
    }

    /// <summary>Resident bytes after some time of work; in short runs after half of them.</summary>
    private static long WhenWarm(Stopwatch clock, TimeSpan duration)
    {
        TimeSpan wait = (duration > s_warmUp ? s_warmUp : duration / 2) - clock.Elapsed;
        Thread.Sleep(wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
        return Environment.WorkingSet;
    }

    private static string? Difference(InferenceModel model, int number, string expected)
    {
        try
        {
            string actual = Use(model, number);
            return actual == expected ? null : $"thread {number}: {actual} instead of {expected}";
        }
        catch (Exception error)
        {
            return $"thread {number}: {error}";
        }
    }

    /// <summary>A session of its own, a generated text and a batch; all that they give, to the last bit.</summary>
    private static string Use(InferenceModel model, int number)
    {
        int[] prompt = [.. Enumerable.Range(1, 5 + number).Select(i => i * (number + 3) % model.Config.VocabularySize)];
        var options = new GenerationOptions { MaxNewTokens = NewTokens, EosIds = [], Temperature = number % 2, Seed = number };
        using InferenceSession session = model.CreateSession();
        using InferenceSequence sequence = model.CreateSequence();
        string logits = Text(session.Append(sequence, prompt));
        sequence.Truncate(2);
        string again = Text(session.Append(sequence, prompt.AsSpan(2)));
        return string.Join(
            ' ',
            logits, again, string.Join(',', ManagedGenerator.Generate(model, prompt, options)),
            string.Join(',', ManagedGenerator.GenerateBatch(model, [prompt, [number, 2]], options).SelectMany(text => text.Tokens.Select(token => token.Id))));
    }

    private static string Text(ReadOnlySpan<float> logits) => Convert.ToHexString(
        System.Security.Cryptography.SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(logits)));
}
