using QuickStart;
using SparseExpansion.Execution;
using SparseExpansion.Expansion;
using SparseExpansion.Pruning.Targets;

// Before anything of torch: its threads leave the processors to others while they wait.
OpenMPWaiting.UsePassive();

using SampleModel sample = SampleModel.LoadEmbedded();
Console.WriteLine(
    $"A language model of {sample.Model.parameters().Sum(parameter => parameter.numel()):N0} weights in {sample.Model.Config.LayerCount} blocks. "
    + "Its feed-forward layers become sparse.");
Console.WriteLine();
Comparison.Print(sample);
Console.WriteLine();

Continuations.Print("Continued by the dense model", sample);
using ExpansionResult result = Method.Best.Expand(sample, SparsityTarget.Unstructured(0.5));
Continuations.Print("Continued by 16 experts at 50 % sparsity", sample);

ExpertUsage.Print(sample, result.Layers["model.layers.2.mlp.up_proj"]);
