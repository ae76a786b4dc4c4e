namespace SparseExpansion.Comparison.Measuring;

public sealed class PeersOptionsTests
{
    [Fact]
    public void Parse_AllOptions_ReadsThem()
    {
        PeersOptions options = PeersOptions.Parse(
            ["--json", "--rounds", "9", "--rows", "int4", "--rows", "Prefill", "--folder", "/models", "--engine", "torch"]);

        Assert.True(options.Json);
        Assert.Equal(9, options.Rounds);
        Assert.Equal("/models", options.Folder);
        Assert.Equal("torch", options.Engine);
        Assert.Equal(
            ["dense int4 / Q4_0: prefill 64", "dense int4 / Q4_0: prefill 512", "int4 50 % / Q4_0: prefill 64", "int4 50 % / Q4_0: prefill 512", "int4 60 % / Q4_0: prefill 64",
            "int4 60 % / Q4_0: prefill 512", "int4 75 % / Q4_0: prefill 64", "int4 75 % / Q4_0: prefill 512"],
            PeerTable.Select(options.Wants).SelectMany(item => item.Tests.Select(item.Case.RowName)));
    }

    [Fact]
    public void Parse_Nothing_MeasuresEverything()
    {
        PeersOptions options = PeersOptions.Parse([]);

        Assert.Equal(PeerTable.Cases.Count, PeerTable.Select(options.Wants).Count);
        Assert.All(PeerTable.Select(options.Wants), item => Assert.Equal(PeerTest.All, item.Tests));
        Assert.Null(options.Rounds);
        Assert.False(options.Json);
    }

    [Theory]
    [InlineData("'--row' is unknown. Use [--json] [--rounds N] [--rows TEXT]… [--folder DIR] [--engine NAME].", "--row", "int4")]
    [InlineData("--folder needs a value.", "--folder")]
    [InlineData("--rounds is '0'; give a number from 1 to 1000.", "--rounds", "0")]
    [InlineData("--rounds is '1.5'; give a number from 1 to 1000.", "--rounds", "1.5")]
    [InlineData("No row contains 'int4' and 'int8'. Rows are named like 'dense fp32 / F32: decode'.", "--rows", "int4", "--rows", "int8")]
    public void Parse_WrongWords_Throws(string message, params string[] args)
    {
        FormatException error = Assert.Throws<FormatException>(() => PeersOptions.Parse(args));

        Assert.Equal(message, error.Message);
    }

    /// <summary>Files of a peer are written once, and deleted after its last case.</summary>
    [Fact]
    public void Cases_OfOnePeer_FollowEachOther()
    {
        string[] peers = [.. PeerTable.Cases.Select(item => item.Peer.Name)];

        Assert.Equal(peers.Distinct().Count() - 1, peers.Zip(peers.Skip(1)).Count(pair => pair.First != pair.Second));
        Assert.Distinct(PeerTable.Cases.Select(item => item.Name));
        Assert.Distinct(PeerTable.Cases.Select(item => item.Storage.FolderName));
    }
}
