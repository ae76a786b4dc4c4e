namespace SparseExpansion.Comparison.Serving;

public sealed class ServerRequestTests
{
    [Theory]
    [InlineData("decode int4 64", ServerVerb.Decode, "int4", 64)]
    [InlineData("prefill m 512", ServerVerb.Prefill, "m", 512)]
    [InlineData("memory", ServerVerb.Memory, "", 0)]
    [InlineData("info", ServerVerb.Info, "", 0)]
    [InlineData("quit", ServerVerb.Quit, "", 0)]
    public void Parse_Request_ReadsWhatToStringWrites(string line, object verb, string model, int tokens)
    {
        ServerRequest request = ServerRequest.Parse(line);

        Assert.Equal(new ServerRequest((ServerVerb)verb, model, tokens), request);
        Assert.Equal(line, request.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("decode m")]
    [InlineData("decode m 64 65")]
    [InlineData("Decode m 64")]
    [InlineData("memory m")]
    public void Parse_AnythingElse_SaysWhatThereIs(string line)
    {
        FormatException error = Assert.Throws<FormatException>(() => ServerRequest.Parse(line));

        Assert.Equal(
            $"'{line}' is no request. Ask for 'decode MODEL TOKENS', 'prefill MODEL TOKENS', 'memory', 'info' or 'quit'.",
            error.Message);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("513")]
    [InlineData("1e2")]
    [InlineData("many")]
    public void Parse_NumberOutOfRange_Throws(string tokens)
    {
        FormatException error = Assert.Throws<FormatException>(() => ServerRequest.Parse($"prefill m {tokens}"));

        Assert.Equal($"'{tokens}' is no number of tokens from 1 to 512.", error.Message);
    }
}
