using System.Text.Json;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;

namespace SparseExpansion.Cli.Inspect;

public sealed class InspectTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public void Dense_ListsLinears()
    {
        JsonElement json = _tiny.Command("inspect").With("--json").Run().Json();
        Assert.Equal("llama", json.GetProperty("modelType").GetString());
        Assert.False(json.GetProperty("expanded").GetBoolean());
        Assert.Equal(0, json.GetProperty("mixtures").GetArrayLength());
        JsonElement up = json.GetProperty("linears").EnumerateArray().Single(linear => linear.GetProperty("name").GetString() == "model.layers.1.mlp.up_proj");
        Assert.Equal((32, 64, 64 * 32 * 4), (up.GetProperty("inFeatures").GetInt32(), up.GetProperty("outFeatures").GetInt32(), up.GetProperty("bytes").GetInt32()));
        // Two blocks of attention (q, o: 32x32; k, v: 16x32), feed-forward (3 of 64x32) and two norms; embedding, head and last norm.
        Assert.Equal((2 * ((2 * 1024) + (2 * 512) + (3 * 2048) + 64)) + (2 * 128 * 32) + 32, json.GetProperty("parameters").GetInt64());
    }

    [Fact]
    public void Expanded_ListsMixturesAndTheirGroups()
    {
        Assert.Equal(0, _tiny.Command("expand").Run().ExitCode);
        JsonElement json = _tiny.Command("inspect").With("--model", _tiny.Output).With("--json").Run().Json();
        Assert.True(json.GetProperty("expanded").GetBoolean());
        JsonElement[] mixtures = [.. json.GetProperty("mixtures").EnumerateArray()];
        Assert.Equal([0, 0, 1, 2, 2, 3], mixtures.Select(mixture => mixture.GetProperty("group").GetInt32()));
        Assert.All(mixtures, mixture =>
        {
            Assert.Equal(3, mixture.GetProperty("experts").GetInt32());
            Assert.Equal(0.5, mixture.GetProperty("sparsity").GetDouble(), 3);
            Assert.Equal("linear", mixture.GetProperty("router").GetString());
        });
        Assert.DoesNotContain("mlp", json.GetProperty("linears").GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Expanded_TellsParametersOfTheDenseModelStoredAndActive()
    {
        Assert.Equal(0, _tiny.Command("expand").Run().ExitCode);
        long dense = _tiny.Command("inspect").With("--json").Run().Json().GetProperty("parameters").GetInt64();
        CommandLine line = _tiny.Command("inspect").With("--model", _tiny.Output);
        string text = line.Run().Output;
        JsonElement json = line.With("--json").Run().Json();
        const long expert = 32 * 64, layers = 6;
        long routers = ExpandedModel.ListTensors(_tiny.Output).Where(entry => entry.Key.StartsWith("routers.", StringComparison.Ordinal)).Sum(entry => entry.Value.Shape.Aggregate(1L, (a, b) => a * b));
        Assert.Equal(dense, json.GetProperty("denseParameters").GetInt64());
        Assert.Equal(dense + (2 * layers * expert), json.GetProperty("parameters").GetInt64());
        // Half of the weights of three experts are zero.
        Assert.Equal(dense + routers + (layers * expert / 2), json.GetProperty("storedParameters").GetInt64());
        Assert.Equal(dense + routers - (layers * expert / 2), json.GetProperty("activeParameters").GetInt64());
        Assert.Contains($"{dense} parameters of the dense model", text, StringComparison.Ordinal);
        Assert.Contains($"{json.GetProperty("activeParameters")} active per token", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Dense_AllParametersAreStoredAndActive()
    {
        JsonElement json = _tiny.Command("inspect").With("--json").Run().Json();
        long parameters = json.GetProperty("parameters").GetInt64();
        Assert.All(["denseParameters", "storedParameters", "activeParameters"], (string name) => Assert.Equal(parameters, json.GetProperty(name).GetInt64()));
    }

    [Fact]
    public void Expanded_TellsBytesOnDiskInMemoryAndPerToken()
    {
        Assert.Equal(0, _tiny.Command("expand").Run().ExitCode);
        JsonElement json = _tiny.Command("inspect").With("--model", _tiny.Output).With("--json").Run().Json();
        IReadOnlyDictionary<string, SafetensorsEntry> stored = ExpandedModel.ListTensors(_tiny.Output);
        long Stored(string prefix) => stored.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal)).Sum(entry => entry.Value.ByteLength);
        static long Get(JsonElement json, string name) => json.GetProperty(name).GetInt64();

        JsonElement[] mixtures = [.. json.GetProperty("mixtures").EnumerateArray()], linears = [.. json.GetProperty("linears").EnumerateArray()];
        Assert.All(mixtures, mixture =>
        {
            // The layout, two numbers of eight bytes, is on disk only.
            Assert.Equal(Stored(mixture.GetProperty("name").GetString() + ".experts."), Get(mixture, "bytesOnDisk"));
            Assert.Equal(Get(mixture, "bytesOnDisk") - 16, Get(mixture, "bytes"));
            Assert.Equal(Get(mixture, "bytes") / 3, Get(mixture, "bytesPerToken"));
            Assert.Equal(32 * 64 * 4, Get(mixture, "denseBytes"));
        });
        Assert.All(linears, linear => Assert.Equal(Get(linear, "bytes"), Get(linear, "bytesOnDisk")));
        JsonElement totals = json.GetProperty("totals");
        long routers = Stored("routers.");
        Assert.Equal(routers, Get(totals, "routerBytes"));
        Assert.Equal(mixtures.Sum(m => Get(m, "bytesOnDisk")) + linears.Sum(l => Get(l, "bytesOnDisk")) + routers, Get(totals, "bytesOnDisk"));
        Assert.Equal(mixtures.Sum(m => Get(m, "bytes")) + linears.Sum(l => Get(l, "bytes")) + routers, Get(totals, "bytes"));
        Assert.Equal(mixtures.Sum(m => Get(m, "bytesPerToken")) + linears.Sum(l => Get(l, "bytes")) + routers, Get(totals, "bytesPerToken"));
        Assert.Equal(mixtures.Sum(m => Get(m, "denseBytes")) + linears.Sum(l => Get(l, "bytes")), Get(totals, "denseBytes"));
    }

    [Fact]
    public void Decoding_CountsWhatATokenReads()
    {
        Assert.Equal(0, _tiny.Command("expand").Run().ExitCode);
        IReadOnlyDictionary<string, SafetensorsEntry> stored = ExpandedModel.ListTensors(_tiny.Output);
        JsonElement json = ToolRun.Of("inspect", "--model", _tiny.Output, "--json").Json(), decoding = json.GetProperty("decoding");
        long Get(string name) => decoding.GetProperty(name).GetInt64();

        long experts = json.GetProperty("mixtures").EnumerateArray().Sum(mixture => mixture.GetProperty("bytesOnDisk").GetInt64());
        Assert.Equal(experts / 3.0, Get("expertBytes"), 6.0);
        Assert.Equal(128 * 32 * 4, Get("headBytes"));
        Assert.Equal(32 * 4, Get("embeddingRowBytes"));
        Assert.Equal(stored.Values.Sum(entry => entry.ByteLength) - experts - (2 * 128 * 32 * 4), Get("denseBytes"));
        Assert.Equal(Get("expertBytes") + Get("headBytes") + Get("embeddingRowBytes") + Get("denseBytes"), Get("bytesPerToken"));
        double bandwidth = decoding.GetProperty("readBytesPerSecond").GetDouble();
        Assert.InRange(bandwidth, 1e8, 1e13);
        Assert.Equal(bandwidth / Get("bytesPerToken"), decoding.GetProperty("tokensPerSecond").GetDouble(), 1e-6 * bandwidth);
        Assert.Equal(Environment.ProcessorCount, decoding.GetProperty("threads").GetInt32());
    }

    [Fact]
    public void Text_ShowsBothKinds()
    {
        Assert.Equal(0, _tiny.Command("expand").Run().ExitCode);
        ToolRun run = _tiny.Command("inspect").With("--model", _tiny.Output).Run();
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("expanded layer", run.Output, StringComparison.Ordinal);
        Assert.Contains("dense layer", run.Output, StringComparison.Ordinal);
        Assert.Contains("read per token", run.Output, StringComparison.Ordinal);
        Assert.Contains("a generated token reads", run.Output, StringComparison.Ordinal);
        Assert.Contains("measured just now", run.Output, StringComparison.Ordinal);
    }
}
