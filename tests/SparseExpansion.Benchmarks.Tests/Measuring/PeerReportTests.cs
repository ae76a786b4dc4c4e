using System.Text.Json;

namespace SparseExpansion.Comparison.Measuring;

public sealed class PeerReportTests
{
    [Fact]
    public void ToJson_HasMachineAndRows()
    {
        PeerCase item = PeerTable.Cases.Single(item => item.Name == "int4 50 %");
        var report = new PeerReport(
            "a machine", 52.5, new Dictionary<string, string> { ["avx2"] = "AVX2 = 1" }, 12,
            [PeerRow.Of(item, PeerTest.Speeds[0], new Samples([(30, 60), (20, 50), (90, 90)]), "avx2")], ["int2 50 %: no"]);

        using JsonDocument json = JsonDocument.Parse(report.ToJson());

        Assert.Equal("a machine", json.RootElement.GetProperty("machine").GetString());
        Assert.Equal(52.5, json.RootElement.GetProperty("readGigabytesPerSecond").GetDouble());
        Assert.Equal("AVX2 = 1", json.RootElement.GetProperty("peerSystems").GetProperty("avx2").GetString());
        Assert.Equal("int2 50 %: no", Assert.Single(json.RootElement.GetProperty("failures").EnumerateArray()).GetString());
        JsonElement row = Assert.Single(json.RootElement.GetProperty("rows").EnumerateArray());
        Assert.Equal("int4 50 %", row.GetProperty("ours").GetString());
        Assert.Equal("Q4_0", row.GetProperty("peer").GetString());
        Assert.Equal("decode", row.GetProperty("what").GetString());
        Assert.Equal(0.5, row.GetProperty("ratio").GetDouble());
        Assert.Equal(0.4, row.GetProperty("min").GetDouble());
        Assert.Equal(1, row.GetProperty("max").GetDouble());
        Assert.Equal(30, row.GetProperty("oursValue").GetDouble());
        Assert.Equal(60, row.GetProperty("peerValue").GetDouble());
        Assert.Equal("tokens/s", row.GetProperty("unit").GetString());
        Assert.Equal("avx2", row.GetProperty("peerLibrary").GetString());
    }

    [Fact]
    public void Of_Memory_CountsMegabytes()
    {
        PeerRow row = PeerRow.Of(PeerTable.Cases[0], PeerTest.Memory, new Samples([(3e9, 1.5e9)]), "avx2");

        Assert.Equal((3000, 1500, 2, "MB"), (row.OursValue, row.PeerValue, row.Ratio, row.Unit));
    }
}
