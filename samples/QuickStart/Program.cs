using QuickStart;
using SparseExpansion.Execution;
using SparseExpansion.Expansion;
using SparseExpansion.Pruning.Targets;

// Before any other use of torch: its waiting threads then do not starve others.
OpenMPWaiting.UsePassive();

if (args is not ([] or ["--picture", _]))
{
    Console.Error.WriteLine("Usage: [--picture FILE], which draws perplexity against sparsity to a PNG or SVG file.");
    return 1;
}

using SampleModel sample = SampleModel.LoadEmbedded();
if (args is [_, string picture])
{
    Picture.Save(sample, picture);
    return 0;
}

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
return 0;
