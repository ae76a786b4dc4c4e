using SparseExpansion.Calibration.Capture;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Expansion.Pipeline;

namespace SparseExpansion.Expansion.Compensation;

/// <summary>Prunes experts from weights that make up for what was lost before them.</summary>
internal sealed record CompensationStep(ErrorCompensationOptions Options) : IExpansionStep
{
    public string SettingName => "error compensation";

    public string Setting => $"{Options}";

    public string? SettingWithout => "none";

    public bool NeedsDenseInputs => true;

    public void OnRouted(GroupRun group)
    {
        if (CaptureDense(group) is { } dense)
        {
            group.Steps.Add(new GroupCompensation(group, dense, Options.Damping));
        }
    }

    public StepCost Cost(WorkSize size) => CompensationCost.Of(size);

    /// <summary>Inputs that the dense model hands a group; null where the expanded model hands it the same.</summary>
    private static ActivationStore? CaptureDense(GroupRun group)
    {
        if (group.Block.IsDense && ReferenceEquals(group.Source.Inputs, group.Source.DenseInputs))
        {
            return null;
        }

        ActivationStore dense = group.Block.RunDense(() => ActivationCapture.Capture(
            group.Block.Block.Calibration, group.InputGroup, group.Source.DenseInputs, group.Run.CancellationToken,
            group.Run.Schedule?.ScratchFolder));
        try
        {
            CheckPairs(group, dense);
            return dense;
        }
        catch
        {
            dense.Dispose();
            throw;
        }
    }

    private static void CheckPairs(GroupRun group, ActivationStore dense)
    {
        IReadOnlyList<long> expanded = group.Captured.CallTokens;
        if (expanded.SequenceEqual(dense.CallTokens))
        {
            return;
        }

        int call = Enumerable.Range(0, expanded.Count).FirstOrDefault(
            i => i >= dense.CallTokens.Count || expanded[i] != dense.CallTokens[i]);
        throw new CalibrationException(
            $"Layer '{group.InputGroup.Name}' gets {expanded[call]} tokens from the expanded model on its call {call}, and {dense.CallTokens.ElementAtOrDefault(call)} from the dense one, "
            + "so its errors cannot be compensated for. Leave it out of the targets, or error compensation out.")
        { Layer = group.InputGroup.Name };
    }
}
