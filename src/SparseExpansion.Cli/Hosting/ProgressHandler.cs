namespace SparseExpansion.Cli;

/// <summary>Is told how far a piece of work is.</summary>
/// <param name="share">Share done, in [0, 1].</param>
/// <param name="text">What is being done.</param>
/// <param name="finished">What has just been finished, such as a block, with what there is to say about it; null where nothing worth a line has.</param>
internal delegate void ProgressHandler(double share, ProgressText text, string? finished = null);
