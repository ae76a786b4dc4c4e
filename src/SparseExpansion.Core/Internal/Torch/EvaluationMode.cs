using TorchSharp;

namespace SparseExpansion.Internal.Torch;

/// <summary>
/// Puts a model into evaluation mode (no dropout) and gives every module its own mode back in the end.
/// </summary>
internal sealed class EvaluationMode : IDisposable
{
    private readonly (torch.nn.Module Module, bool Training)[] _modes;

    public EvaluationMode(torch.nn.Module model)
    {
        _modes =
            [(model, model.training), .. model.named_modules().Select(entry => (entry.module, entry.module.training))];
        model.eval();
    }

    /// <summary>Parents come first, so that children are left with their own mode.</summary>
    public void Dispose()
    {
        foreach ((torch.nn.Module module, bool training) in _modes)
        {
            module.train(training);
        }
    }
}
