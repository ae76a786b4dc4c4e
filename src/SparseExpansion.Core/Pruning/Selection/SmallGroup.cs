using System.Runtime.InteropServices;

namespace SparseExpansion.Pruning.Selection;

/// <summary>Selection in groups of a few weights, as N:M sparsity has them.</summary>
internal static unsafe class SmallGroup
{
    /// <summary>
    /// Marks those <paramref name="count"/> of <paramref name="n"/> scores of smallest magnitude with 1, the others
    /// with 0; ties by lowest index.
    /// </summary>
    public static void Mark(float* scores, byte* marks, int n, int count)
    {
        NativeMemory.Clear(marks, (nuint)n);
        for (int taken = 0; taken < count; taken++)
        {
            int smallest = -1;
            for (int i = 0; i < n; i++)
            {
                if (marks[i] == 0 && (smallest < 0 || Math.Abs(scores[i]) < Math.Abs(scores[smallest])))
                {
                    smallest = i;
                }
            }

            marks[smallest] = 1;
        }
    }
}
