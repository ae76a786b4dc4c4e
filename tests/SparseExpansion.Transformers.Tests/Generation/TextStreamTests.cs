using SparseExpansion.Models;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Generation;

public sealed class TextStreamTests : IDisposable
{
    private const string Prompt = "Once upon a time";

    private static readonly GenerationOptions s_options = new() { MaxNewTokens = 24, EosIds = [] };

    private readonly CausalLanguageModel _model = PretrainedModel.Load(SampleFolder.Path);
    private readonly TextTokenizer _tokenizer = TextTokenizer.Load(SampleFolder.Path);

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    public async Task StreamAsync_Pieces_AreThoseOfGenerateText(double temperature)
    {
        GenerationOptions options = s_options with { Temperature = temperature, Seed = 3 }; // A hot model writes bytes of all kinds.
        string[] expected =
            [.. TextGenerator.GenerateText(_model, _tokenizer, Prompt, options, TestContext.Current.CancellationToken)];
        var pieces = new List<string>();
        await foreach (string piece in TextGenerator.StreamAsync(_model, _tokenizer, Prompt, options, TestContext.Current.CancellationToken))
        {
            pieces.Add(piece);
        }

        Assert.Equal(expected, pieces);
        Assert.All(pieces.SkipLast(1), piece => Assert.False(piece.EndsWith('\uFFFD')));
    }

    [Fact]
    public async Task StreamAsync_TheModel_RunsOnThePoolAndOnlyWhileSomebodyWaits()
    {
        int passes = 0;
        var threads = new List<bool>();
        using var hook = new PassHook(_model, () =>
        {
            passes++;
            threads.Add(Thread.CurrentThread.IsThreadPoolThread);
        });
        IAsyncEnumerator<string> pieces = Stream(s_options).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.Equal(0, passes);
        Assert.True(await pieces.MoveNextAsync());
        int before = passes;
        await Task.Delay(50, TestContext.Current.CancellationToken);

        Assert.Equal(before, passes);
        Assert.All(threads, Assert.True);
        await pieces.DisposeAsync();
        Assert.Equal(before, passes);
    }

    [Fact]
    public async Task StreamAsync_StoppedEarly_LeavesNoTensors()
    {
        async Task Run()
        {
            int count = 0;
            await foreach (string _ in Stream(s_options))
            {
                if (++count == 3)
                {
                    break;
                }
            }
        }

        await Run();
        LeakCheck.NoTensorsLeft(() => Run().GetAwaiter().GetResult());
    }

    [Fact]
    public async Task StreamAsync_Canceled_EndsWithinOneTokenAndLeavesNoTensors()
    {
        using var source = new CancellationTokenSource();
        int passes = 0;
        using var hook = new PassHook(_model, () =>
        {
            if (++passes == 4)
            {
                source.Cancel();
            }
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (string _ in Stream(s_options with { MaxNewTokens = 100 }, source.Token))
            {
            }
        });
        Assert.Equal(4, passes);

        passes = 4;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Stream(s_options).WithCancellation(source.Token).GetAsyncEnumerator().MoveNextAsync());
        Assert.Equal(4, passes);
        LeakCheck.NoTensorsLeft(() => Assert.ThrowsAny<OperationCanceledException>(() => Stream(s_options, source.Token).GetAsyncEnumerator().MoveNextAsync().AsTask().GetAwaiter().GetResult()));
    }

    [Fact]
    public void StreamAsync_TheModelFails_TheConsumerGetsItAndNoTensorsAreLeft()
    {
        int passes = 0;
        using var hook = new PassHook(_model, () =>
        {
            if (++passes % 3 == 0)
            {
                throw new InvalidDataException("broken");
            }
        });
        LeakCheck.NoTensorsLeft(() => Assert.Equal("broken", Assert.Throws<InvalidDataException>(() => ReadAll(Stream(s_options)).GetAwaiter().GetResult()).Message));
    }

    [Fact]
    public async Task StreamAsync_BadArguments_AreToldAtOnceOrByTheFirstPiece()
    {
        Assert.Throws<ArgumentNullException>(() => TextGenerator.StreamAsync(_model, _tokenizer, null!));
        Assert.Throws<ArgumentNullException>(() => TextGenerator.StreamAsync(null!, _tokenizer, Prompt));
        Assert.Throws<ArgumentOutOfRangeException>(() => Stream(s_options with { MaxNewTokens = 0 }));
        await Assert.ThrowsAsync<ArgumentException>(() => ReadAll(Stream(s_options with { MaxNewTokens = 100_000 })));
    }

    private static async Task ReadAll(IAsyncEnumerable<string> stream)
    {
        await foreach (string _ in stream)
        {
        }
    }

    private IAsyncEnumerable<string> Stream(GenerationOptions options, CancellationToken cancellationToken = default) =>
        TextGenerator.StreamAsync(_model, _tokenizer, Prompt, options, cancellationToken);
}
