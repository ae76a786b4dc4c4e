using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.LowBit.Tokens;

namespace SparseExpansion.Execution.LowBit.Strips;

/// <summary>Products of strips on every processor.</summary>
internal readonly unsafe struct PortableStripProduct : IStripProduct
{
    public static void Multiply(
        StripWeight weight, int strip, RoundedTokens tokens, int* order, int count, float* results)
    {
        StripLayout layout = weight.Layout;
        for (int token = 0; token < count; token++, results += StripLayout.StripRows)
        {
            for (int lane = 0; lane < StripLayout.StripRows; lane++)
            {
                results[lane] = Row(layout, weight.Strip(strip), lane, tokens, order[token]);
            }
        }
    }

    private static float Row(StripLayout layout, byte* block, int lane, RoundedTokens tokens, int token)
    {
        sbyte* x = tokens.Codes(token);
        float result = 0;
        for (int b = 0; b < layout.Blocks; b++, block += layout.BlockBytes, x += layout.BlockColumns)
        {
            int total = 0, zero = block[StripLayout.ZerosAt + lane];
            for (int column = 0; column < layout.BlockColumns; column++)
            {
                total += (StripCodes.Get(block, lane, column) - zero) * x[column];
            }

            float scale = tokens.Scales(token)[b * (layout.BlockColumns / RoundedTokens.UnitColumns)];
            result += BFloat16Format.Load(block, lane) * (scale * total);
        }

        return result;
    }
}
