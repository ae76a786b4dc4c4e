namespace SparseExpansion.Comparison.Serving;

/// <summary>The program of a server: loads the models of its command line and answers requests.</summary>
/// <param name="optionName">Name of its one option, with the dashes.</param>
internal abstract class ServerProgram(string optionName)
{
    /// <summary>Serves until there are no more requests.</summary>
    /// <param name="args">NAME=PATH of every model, and the option.</param>
    /// <param name="requests">Lines to answer.</param>
    /// <param name="answers">Gets the answers; where the models cannot be loaded, one line that says why.</param>
    /// <returns>The exit code.</returns>
    public int Run(IReadOnlyList<string> args, TextReader requests, TextWriter answers)
    {
        var models = new Dictionary<string, IServedModel>();
        try
        {
            ServerArguments arguments = ServerArguments.Parse(args, optionName);
            foreach ((string name, string path) in arguments.Models)
            {
                models.Add(name, Load(path, arguments.Option));
            }

            new ServerLoop(models, Describe(), new SpeedMeter(ModelShape.TinyLlama.Vocabulary)).Run(requests, answers);
            return 0;
        }
        catch (Exception error) when (error is FormatException or SparseExpansionException)
        {
            answers.WriteLine(ServerLoop.Failure(error));
            return 1;
        }
        finally
        {
            models.Values.ToList().ForEach(model => model.Dispose());
        }
    }

    /// <summary>Loads a model.</summary>
    /// <exception cref="FormatException">The option has no such value.</exception>
    /// <exception cref="SparseExpansionException">The model cannot be loaded.</exception>
    protected abstract IServedModel Load(string path, string? option);

    /// <summary>A line about the library, once models are loaded.</summary>
    protected abstract string Describe();
}
