namespace SparseExpansion.Execution.Threading;

/// <summary>Independent items of work; which worker does which item must not change the result.</summary>
internal interface IParallelWork
{
    /// <summary>Does one item. An exception ends the work and reaches the caller.</summary>
    /// <param name="item">0 … items − 1.</param>
    /// <param name="worker">0 … degree − 1; no two items run at the same time under one number.</param>
    void Run(int item, int worker);
}
