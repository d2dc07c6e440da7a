package varve.archive.hash;
import java.lang.foreign.*; import java.nio.ByteOrder;
public final class SubtreeHasher {
  static final int[] IV={0x6A09E667,0xBB67AE85,0x3C6EF372,0xA54FF53A,0x510E527F,0x9B05688C,0x1F83D9AB,0x5BE0CD19};
  static final int[] P={2,6,3,10,7,0,4,13,1,11,12,5,9,14,15,8};
  static void g(int[] s,int a,int b,int c,int d,int x,int y){ s[a]+=s[b]+x; s[d]=Integer.rotateRight(s[d]^s[a],16); s[c]+=s[d]; s[b]=Integer.rotateRight(s[b]^s[c],12); s[a]+=s[b]+y; s[d]=Integer.rotateRight(s[d]^s[a],8); s[c]+=s[d]; s[b]=Integer.rotateRight(s[b]^s[c],7);} 
  static int[] compress(int[] cv,int[] m,long t,int len,int flags){ int[] s={cv[0],cv[1],cv[2],cv[3],cv[4],cv[5],cv[6],cv[7],IV[0],IV[1],IV[2],IV[3],(int)t,(int)(t>>>32),len,flags}; m=m.clone();
    for(int r=0;r<7;r++){ g(s,0,4,8,12,m[0],m[1]);g(s,1,5,9,13,m[2],m[3]);g(s,2,6,10,14,m[4],m[5]);g(s,3,7,11,15,m[6],m[7]);g(s,0,5,10,15,m[8],m[9]);g(s,1,6,11,12,m[10],m[11]);g(s,2,7,8,13,m[12],m[13]);g(s,3,4,9,14,m[14],m[15]); int[] n=new int[16]; for(int i=0;i<16;i++)n[i]=m[P[i]]; m=n; }
    int[] o=new int[8]; for(int i=0;i<8;i++) o[i]=s[i]^s[i+8]; return o; }
  static final ValueLayout.OfInt I=ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static int[] leaf(MemorySegment d,long t,int root){ int[] cv=IV; long n=d.byteSize(); long p=0; do { int len=(int)Math.min(64,n-p); int[] m=new int[16]; byte[] b=new byte[64]; for(int i=0;i<len;i++) b[i]=d.get(ValueLayout.JAVA_BYTE,p+i); var bs=MemorySegment.ofArray(b); for(int i=0;i<16;i++) m[i]=bs.get(I,4*i); int f=(p==0?1:0)|(p+len>=n?2|root:0); cv=compress(cv,m,t,len,f); p+=len; } while(p<n); return cv; }
  static int[] parent(int[] l,int[] r,int root){ int[] m=new int[16]; System.arraycopy(l,0,m,0,8); System.arraycopy(r,0,m,8,8); return compress(IV,m,0,64,4|root); }
  static int[] tree(MemorySegment d,long t,int root){ long n=d.byteSize(); if(n<=1024) return leaf(d,t,root); long h=Long.highestOneBit((n-1)>>>10)<<10; return parent(tree(d.asSlice(0,h),t,0),tree(d.asSlice(h),t+(h>>>10),0),root); }
  static Hash h(int[] c){ byte[] b=new byte[32]; for(int i=0;i<8;i++) MemorySegment.ofArray(b).set(I,4*i,c[i]); return Hash.of(b);} 
  static int[] c(Hash h){ int[] c=new int[8]; for(int i=0;i<8;i++) c[i]=MemorySegment.ofArray(h.bytes()).get(I,4*i); return c; }
  public Hash subtree(MemorySegment d,long off){ return h(tree(d,off>>>10,0)); }
  public Hash whole(MemorySegment d){ return h(tree(d,0,8)); }
  public Hash zeros(long off,long size){ return subtree(Arena.ofAuto().allocate(size),off); }
}
