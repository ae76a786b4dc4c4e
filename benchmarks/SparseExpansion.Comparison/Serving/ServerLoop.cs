using System.Diagnostics;
using System.Globalization;

namespace SparseExpansion.Comparison.Serving;

/// <summary>
/// Answers requests line by line. After <see cref="Ready"/> every request gets one line; that of a failed one begins
/// with <see cref="ErrorPrefix"/>.
/// </summary>
/// <param name="models">The models by name.</param>
/// <param name="info">The answer to <see cref="ServerVerb.Info"/>: one line.</param>
/// <param name="meter">Measures speeds.</param>
internal sealed class ServerLoop(IReadOnlyDictionary<string, IServedModel> models, string info, SpeedMeter meter)
{
    /// <summary>The first line: the models are loaded.</summary>
    public const string Ready = "ready";

    /// <summary>Beginning of an answer that is a failure.</summary>
    public const string ErrorPrefix = "error: ";

    /// <summary>The line that answers what failed.</summary>
    public static string Failure(Exception error) => ErrorPrefix + error.Message.ReplaceLineEndings(" ");

    /// <summary>Serves until it is told to quit, or there is nobody left to answer.</summary>
    public void Run(TextReader requests, TextWriter answers)
    {
        answers.WriteLine(Ready);
        answers.Flush();
        while (requests.ReadLine() is { } line)
        {
            string answer;
            try
            {
                ServerRequest request = ServerRequest.Parse(line);
                if (request.Verb == ServerVerb.Quit)
                {
                    return;
                }

                answer = Answer(request);
            }
            catch (Exception error) when (error is FormatException or InvalidOperationException)
            {
                answer = Failure(error);
            }

            answers.WriteLine(answer);
            answers.Flush();
        }
    }

    private string Answer(ServerRequest request) => request.Verb switch
    {
        ServerVerb.Decode => Text(meter.Decode(Model(request), request.Tokens)),
        ServerVerb.Prefill => Text(meter.Prefill(Model(request), request.Tokens)),
        ServerVerb.Memory => Text(ResidentBytes()),
        _ => info,
    };

    private IServedModel Model(ServerRequest request) => models.TryGetValue(request.Model, out IServedModel? model)
        ? model
        : throw new FormatException($"There is no model '{request.Model}'; there are {string.Join(", ", models.Keys)}.");

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static long ResidentBytes()
    {
        using Process self = Process.GetCurrentProcess();
        return self.WorkingSet64;
    }
}
